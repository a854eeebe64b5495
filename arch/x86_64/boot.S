/* SPDX-License-Identifier: MIT
 * From the boot loader to C. PVH and Multiboot2 both enter here in 32-bit protected mode with paging off and the address of
 * their information in EBX; only EAX tells them apart. The section .boot is linked where it is loaded, everything else at
 * KERNEL_BASE, so this file takes 32-bit addresses of the rest by LOW(). Assumes nothing: no stack, no GDT, no BSS beyond
 * what an ELF loader gives.
 *
 *   boot_pml4[0] and [256] -> first 4 GiB, identity and direct map        boot_pml4[511] -> first 1 GiB at KERNEL_BASE
 *
 * These tables stay for the start of the other CPUs; each CPU leaves them for paging.c's as soon as it reaches C. */
#include "arch/x86_64/asm.h"

#define LOW(symbol) ((symbol) - 0xffffffff80000000)
#define MULTIBOOT2_MAGIC 0xe85250d6
#define MULTIBOOT2_LOADER 0x36d76289
#define PAGE_PRESENT_WRITE 0x3
#define PAGE_LARGE 0x80

    .section .boot.header, "a"
    .balign 8
multiboot2_header:
    .long MULTIBOOT2_MAGIC, 0, multiboot2_end - multiboot2_header
    .long -(MULTIBOOT2_MAGIC + 0 + (multiboot2_end - multiboot2_header))
    .balign 8
    .short 1, 0                 /* information request: command line, modules, memory map, ACPI old and new */
    .long 28, 1, 3, 6, 14, 15
    .balign 8
    .short 6, 0                 /* modules on page boundaries */
    .long 8
    .balign 8
    .short 0, 0
    .long 8
multiboot2_end:

/* ELF notes for Xen, QEMU, Cloud Hypervisor and Firecracker: name "Xen", one descriptor each. */
.macro XEN_NOTE type, body:vararg
    .balign 4
    .long 4, 2f - 1f, \type
    .asciz "Xen"
1:  \body
2:  .balign 4
.endm
    .section .note.pvh, "a", @note
    XEN_NOTE 18, .long boot_entry           /* PHYS32_ENTRY */
    XEN_NOTE 6, .asciz "Tern"               /* GUEST_OS */
    XEN_NOTE 5, .asciz "xen-3.0"            /* XEN_VERSION */
    XEN_NOTE 8, .asciz "generic"            /* LOADER */

    .section .boot.text, "ax"
    .code32
    .globl boot_entry
boot_entry:
    movl %eax, %esi
    rdtsc
    movl %eax, %edi
    movl %edx, %ebp
    cli
    cld
    cmpl $MULTIBOOT2_LOADER, %esi
    je 1f
    xorl %esi, %esi             /* 0: PVH */
1:  movl %ebx, %esp             /* CPUID takes EBX; there is no stack to lose */
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb boot_refuse
    movl $0x80000001, %eax
    cpuid
    movl %esp, %ebx
    btl $29, %edx               /* long mode */
    jnc boot_refuse

    /* Four page directories: 2048 entries of 2 MiB. */
    movl $LOW(boot_pd), %ecx
    movl $(PAGE_PRESENT_WRITE | PAGE_LARGE), %eax
1:  movl %eax, (%ecx)
    addl $0x200000, %eax
    addl $8, %ecx
    cmpl $LOW(boot_pd_end), %ecx
    jb 1b
    movl $LOW(boot_pd) + PAGE_PRESENT_WRITE, %eax
    movl %eax, LOW(boot_pdpt)
    movl %eax, LOW(boot_pdpt_high) + 510 * 8
    addl $0x1000, %eax
    movl %eax, LOW(boot_pdpt) + 8
    addl $0x1000, %eax
    movl %eax, LOW(boot_pdpt) + 16
    addl $0x1000, %eax
    movl %eax, LOW(boot_pdpt) + 24
    movl $LOW(boot_pdpt) + PAGE_PRESENT_WRITE, LOW(boot_pml4)
    movl $LOW(boot_pdpt) + PAGE_PRESENT_WRITE, LOW(boot_pml4) + 256 * 8
    movl $LOW(boot_pdpt_high) + PAGE_PRESENT_WRITE, LOW(boot_pml4) + 511 * 8

    movl $boot_entry64, %eax
    jmp boot_long_mode

boot_refuse:
    hlt
    jmp boot_refuse

/* Turns on paging with boot_pml4 and goes to the 64-bit code at EAX. Keeps EBX, ESI, EDI, EBP. The other CPUs come here too. */
    .globl boot_long_mode
boot_long_mode:
    movl %eax, boot_continue
    movl $CR4_PAE, %ecx
    movl %ecx, %cr4
    movl $LOW(boot_pml4), %ecx
    movl %ecx, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $(EFER_LME | EFER_NXE | EFER_SCE), %eax
    wrmsr
    movl $(CR0_PG | CR0_PE | CR0_WP | CR0_NE | CR0_MP), %eax
    movl %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $8, $boot_target

    .balign 8
boot_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdt_end:
boot_gdt_pointer:
    .short boot_gdt_end - boot_gdt - 1
    .long boot_gdt

    .code64
boot_target:
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    jmp *boot_continue(%rip)
boot_continue:
    .quad 0

boot_entry64:
    movabs $boot_high, %rax
    jmp *%rax

    .text
boot_high:
    movq $boot_stack_top, %rsp
    movl %edi, %edx             /* third argument: time stamp of the first instruction */
    shlq $32, %rbp
    orq %rbp, %rdx
    movl %esi, %edi             /* first: Multiboot2 magic or 0 */
    movl %ebx, %esi             /* second: physical address of the loader's information */
    xorl %ebp, %ebp
    call kernel_main
    ud2

    .bss
    .balign 4096
    .globl boot_pml4, boot_stack_top
boot_pml4:      .skip 4096
boot_pdpt:      .skip 4096
boot_pdpt_high: .skip 4096
boot_pd:        .skip 4 * 4096
boot_pd_end:
    .skip 16384                 /* the boot CPU's stack until percpu.c gives it its own */
boot_stack_top:
