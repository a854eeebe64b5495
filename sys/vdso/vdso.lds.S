/* SPDX-License-Identifier: MIT
 * The vDSO's one page: code, then its unwind table, then breakpoints to the end. The flat copy of the page (vdso.bin)
 * is what the kernel maps; the ELF (vdso.elf) gives its addresses to the kernel's and the programs' links, and names
 * and unwind information to debuggers. */
#include "sys/abi/layout.h"
OUTPUT_FORMAT(elf64-x86-64)
ENTRY(clock_now)

PHDRS
{
    page PT_LOAD FLAGS(5);
}

SECTIONS
{
    . = USER_VDSO_BASE;
    .text : { *(.text) } :page
    .eh_frame : { KEEP(*(.eh_frame)) } :page
    HIDDEN(vdso_end = .);
    .unused : { FILL(0xcccccccc) BYTE(0xcc) . += USER_VDSO_BASE + USER_PAGE_SIZE - 1 - vdso_end; } :page
    ASSERT(. == USER_VDSO_BASE + USER_PAGE_SIZE, "the vDSO is one page")

    /DISCARD/ : { *(.comment) *(.note.*) *(.data) *(.bss) }
}
