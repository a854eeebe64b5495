/* SPDX-License-Identifier: MIT
 * Spins with another value in each register and with unusual flags, and looks whether they are still there. */
#include "tests/guest/entry/entry.h"
#include "tests/guest/registers.h"

.macro EACH do
    .irp register, rax, rbx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    \do \register
    .endr
.endm

.macro SET register
    movabsq $value, %\register
value = value + 0x0101010101010101
.endm

/* RCX has the value when it is looked at. */
.macro LOOK register
    movabsq $value, %rcx
    cmpq %rcx, %\register
    jne 2f
value = value + 0x0101010101010101
.endm

    .text
    .globl spin
    .type spin, @function
spin:
    PUSH_KEPT
    pushfq
    leaq 2(%rdi), %rcx
    shrq %rcx
    pushq $ENTRY_RFLAGS
    popfq
    movq %rsp, spin_stack(%rip)
value = 0x0202020202020202
    EACH SET
1:  decq %rcx
    jnz 1b
value = 0x0202020202020202
    EACH LOOK
    cmpq %rsp, spin_stack(%rip)
    jne 2f
    pushfq
    popq %rax
    notl %eax
    testl $ENTRY_RFLAGS & ~ENTRY_STATUS_FLAGS, %eax
    sete %al
    jmp 3f
2:  xorl %eax, %eax
3:  movq spin_stack(%rip), %rsp
    popfq
    POP_KEPT
    ret
    .size spin, . - spin

    .bss
    .balign 8
spin_stack:
    .skip 8

    .section .note.GNU-stack, "", @progbits
