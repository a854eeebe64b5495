/* SPDX-License-Identifier: MIT
 * The vDSO: a shared object whose headers, tables and code fill two pages, so that what is mapped is a whole ELF file, with
 * names and unwind information for debuggers. It is linked where it is mapped. Behind them lie the slots for numbers
 * without a name, which the kernel fills in (sys/vdso/vdso.c). */
#include "sys/abi/layout.h"
OUTPUT_FORMAT(elf64-x86-64)

PHDRS
{
    page PT_LOAD FILEHDR PHDRS FLAGS(5);
    dynamic PT_DYNAMIC FLAGS(4);
    unwind PT_GNU_EH_FRAME FLAGS(4);
}

SECTIONS
{
    . = USER_VDSO_BASE + SIZEOF_HEADERS;
    .hash : { *(.hash) } :page
    .gnu.hash : { *(.gnu.hash) } :page
    .dynsym : { *(.dynsym) } :page
    .dynstr : { *(.dynstr) } :page
    .dynamic : { *(.dynamic) } :page :dynamic
    .eh_frame_hdr : { *(.eh_frame_hdr) } :page :unwind
    .eh_frame : { KEEP(*(.eh_frame)) } :page
    .text : { *(.text) } :page = 0xcccccccc
    ASSERT(. <= USER_CALLS_BASE, "the vDSO fits before the slots")

    . = USER_CALLS_BASE;
    .calls (NOLOAD) : { *(.calls) } :page

    /DISCARD/ : { *(.comment) *(.note.*) *(.data) *(.bss) *(.got*) *(.rela*) }
}
