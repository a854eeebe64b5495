/* SPDX-License-Identifier: MIT
 * The instructions that end a victim of the fault test, one function each, named as in faults.def. The stack is sound,
 * so that one which wrongly survives returns to its caller and is noticed. */
#include "arch/x86_64/asm.h"
#include "sys/abi/layout.h"
#include "sys/abi/vvar.h"

#define KERNEL_ADDRESS 0xffffffff80200000
#define NON_CANONICAL_ADDRESS 0x8000000000000000

.macro FUNCTION name
    .globl fault_\name
    .type fault_\name, @function
    .balign 16
fault_\name:
.endm

    .text
    FUNCTION null_read
    xorl %eax, %eax
    movq (%rax), %rax
    ret

    FUNCTION null_jump
    xorl %eax, %eax
    call *%rax
    ret

    FUNCTION kernel_read
    movabsq $KERNEL_ADDRESS, %rax
    movq (%rax), %rax
    ret

    FUNCTION kernel_jump
    movabsq $KERNEL_ADDRESS, %rax
    call *%rax
    ret

    FUNCTION non_canonical
    movabsq $NON_CANONICAL_ADDRESS, %rax
    movq (%rax), %rax
    ret

    FUNCTION own_text
    movb $0x90, fault_own_text(%rip)
    ret

    FUNCTION own_stack
    movb $0xc3, -64(%rsp)
    leaq -64(%rsp), %rax
    call *%rax
    ret

    FUNCTION vdso_write
    movl $USER_VDSO_BASE, %eax
    movb $0x90, (%rax)
    ret

    FUNCTION stack_overflow
    movl $0x1000000, %ecx
    movq %rsp, %rdx
1:  pushq %rax
    decl %ecx
    jnz 1b
    movq %rdx, %rsp
    ret

    FUNCTION invalid_opcode
    ud2
    ret

    FUNCTION divide_error
    xorl %edx, %edx
    xorl %ecx, %ecx
    movl $1, %eax
    divl %ecx
    ret

    FUNCTION breakpoint
    int3
    ret

    FUNCTION privileged
    hlt
    ret

    FUNCTION port
    movb $0, %al
    outb %al, $0x80
    ret

/* Two ways into the kernel, hidden in constants where no look at the code finds them: from its second byte on, the
 * first move is int 0x80 and ret, the second syscall (debug_nop, number 0) and ret. */
    FUNCTION software_interrupt
    jmp 1f + 1
1:  movl $0x00c380cd, %ecx

    FUNCTION bare_syscall
    xorl %eax, %eax
    jmp 1f + 1
1:  movl $0x00c3050f, %ecx

/* thread_yield's instruction, two bytes before its return address, with the number of debug_nop. */
    FUNCTION other_site
    xorl %eax, %eax
    movl $vdso_site_thread_yield - 2, %ecx
    call *%rcx
    ret

    FUNCTION no_such_call
    movl $511, %eax
    movl $vdso_site_debug_nop - 2, %ecx
    call *%rcx
    ret

    FUNCTION huge_call
    movabsq $0x100000000, %rax
    movl $vdso_site_debug_nop - 2, %ecx
    call *%rcx
    ret

/* IRETQ to debug_nop's own instruction with TF set: the step ends behind it. SYSCALL masks TF and gives it back at the
 * end, so the debug exception comes in here; SYSENTER does neither: it comes in the kernel, and UD2 is reached. */
    FUNCTION stepped_call
    movq %rsp, %rcx
    leaq 1f(%rip), %rdx
    pushq %rdx
    movq %rsp, %r11
    pushq $SEL_USER_DATA
    pushq %r11
    pushq $RFLAGS_FIXED | RFLAGS_IF | RFLAGS_TF
    pushq $SEL_USER_CODE
    leaq vdso_site_debug_nop - 2(%rip), %rdx
    testq $VVAR_FEATURE_SYSENTER, USER_VVAR_BASE + VVAR_FEATURES
    jz 2f
    addq $SYSENTER_SITE_SHIFT, %rdx
2:  pushq %rdx
    xorl %eax, %eax
    jmp 3f + 1
3:  movl $0x0000cf48, %ecx      /* from its second byte on: iretq */
1:  ud2
    ret

    FUNCTION process_exit
    movl $7, %edi
    call process_exit
    ret

    .section .note.GNU-stack, "", @progbits
