/* SPDX-License-Identifier: MIT
 * Where another CPU starts after its start-up IPI: real mode, at a page below 1 MiB to which smp.c copies this code. It goes
 * to 32-bit protected mode by a flat GDT of its own, then takes the boot CPU's path into long mode. */
#include "arch/x86_64/asm.h"

    .section .rodata
    .globl ap_trampoline, ap_trampoline_end
    .code16
ap_trampoline:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    movzwl %ax, %ebx
    shll $4, %ebx               /* physical address of this page */
    leal (ap_gdt - ap_trampoline)(%ebx), %eax
    movl %eax, ap_gdt_pointer - ap_trampoline + 2
    lgdtl ap_gdt_pointer - ap_trampoline
    leal (ap_protected - ap_trampoline)(%ebx), %eax
    movl %eax, ap_far - ap_trampoline
    movl $(CR0_PE | CR0_NE), %eax
    movl %eax, %cr0
    ljmpl *(ap_far - ap_trampoline)

    .code32
ap_protected:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $ap_entry64, %eax
    movl $boot_long_mode, %ecx
    jmp *%ecx

    .balign 8
ap_gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
ap_gdt_pointer:
    .short 23
    .long 0
ap_far:
    .long 0
    .short 8
ap_trampoline_end:

    .section .boot.text, "ax"
    .code64
ap_entry64:
    movabs $ap_high, %rax
    jmp *%rax

    .text
/* smp.c starts one CPU at a time and leaves its stack in ap_stack_top; only the kernel's own tables map it. */
    .globl ap_high
ap_high:
    movq paging_root, %rax
    movq %rax, %cr3
    movq ap_stack_top, %rsp
    xorl %ebp, %ebp
    call ap_main
    ud2
