# SPDX-License-Identifier: MIT
# nm -n of the kernel on standard input; the symbol table for symbols.c as assembly on standard output. Without input: empty.
$2 ~ /^[tT]$/ && $3 !~ /^\./ && ($1 ~ /^ffffffff8/) { if ($3 == "_text") text = $1; address[n + 0] = $1; name[n++] = $3 }
END {
    print "    .section .symbols, \"a\""
    print "    .globl symbol_table, symbol_count, symbol_names"
    print "    .balign 8"
    print "symbol_table:"
    for (i = 0; i < n; i++) print "    .long 0x" substr(address[i], 9) " - 0x" substr(text, 9) ", name" i " - symbol_names"
    print "symbol_count:\n    .long " n + 0
    print "symbol_names:"
    for (i = 0; i < n; i++) print "name" i ": .asciz \"" name[i] "\""
}
