/* SPDX-License-Identifier: MIT
 * The kernel's link map. Loaded at 2 MiB; only .boot runs where it is loaded. Each permission has its own pages. The Xen
 * notes come alone with the build id in PT_NOTE: any other note there makes loaders miss the entry (checked by
 * ci/lint/notes.py). */
OUTPUT_FORMAT(elf64-x86-64)
ENTRY(boot_entry)
KERNEL_BASE = 0xffffffff80000000;

PHDRS
{
    boot PT_LOAD FLAGS(5);
    text PT_LOAD FLAGS(5);
    rodata PT_LOAD FLAGS(4);
    data PT_LOAD FLAGS(6);
    note PT_NOTE FLAGS(4);
}

SECTIONS
{
    . = 0x200000;
    kernel_load_start = .;
    .boot : { *(.boot.header) *(.boot.text) . = ALIGN(4096); } :boot

    . = ALIGN(4096) + KERNEL_BASE;
    .text : AT(ADDR(.text) - KERNEL_BASE) {
        _text = .;
        _stext = .;
        *(.text.entry)
        *(.text .text.*)
        . = ALIGN(16);
        _etext = .;
    } :text
    .hypercall (NOLOAD) : AT(ADDR(.hypercall) - KERNEL_BASE) { *(.hypercall) } :text
    kernel_text_end = .;

    . = ALIGN(4096);
    kernel_rodata_start = .;
    .note.pvh : AT(ADDR(.note.pvh) - KERNEL_BASE) { KEEP(*(.note.pvh)) } :rodata :note
    .note.gnu.build-id : AT(ADDR(.note.gnu.build-id) - KERNEL_BASE) {
        build_id_note = .;
        *(.note.gnu.build-id)
        build_id_note_end = .;
    } :rodata :note
    .rodata : AT(ADDR(.rodata) - KERNEL_BASE) { *(.rodata .rodata.*) } :rodata
    .image : AT(ADDR(.image) - KERNEL_BASE) { *(.image) } :rodata
    .symbols : AT(ADDR(.symbols) - KERNEL_BASE) { *(.symbols) } :rodata
    kernel_rodata_end = .;

    . = ALIGN(4096);
    kernel_data_start = .;
    .data : AT(ADDR(.data) - KERNEL_BASE) { *(.data .data.*) } :data
    . = ALIGN(64);
    .percpu : AT(ADDR(.percpu) - KERNEL_BASE) {
        percpu_start = .;
        *(.percpu.head)
        *(.percpu)
        . = ALIGN(64);
    } :data
    _edata = .;
    .bss.percpu (NOLOAD) : AT(ADDR(.bss.percpu) - KERNEL_BASE) {
        *(.bss.percpu)
        . = ALIGN(64);
        percpu_end = .;
    } :data
    .bss : AT(ADDR(.bss) - KERNEL_BASE) { *(.bss .bss.*) *(COMMON) . = ALIGN(4096); } :data
    kernel_end = .;

    /DISCARD/ : { *(.comment) *(.note.gnu.property) *(.note.GNU-stack) *(.eh_frame) *(.gnu.*) }
}
