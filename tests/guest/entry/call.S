/* SPDX-License-Identifier: MIT
 * entry_call: the call in entry_function with the seven values of entry_argument, from known registers; all that it
 * leaves goes into entry_after. Everything is found by address, since no register is trusted when the call returns.
 * Each program that wants this includes it in a file of its own. */
#include "tests/guest/entry/entry.h"

.macro KEEP register, offset
    movq %\register, entry_after + \offset(%rip)
.endm

    .text
    .globl entry_call
    .type entry_call, @function
entry_call:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushfq
    pushq entry_argument + 48(%rip)
    movq %rsp, entry_stack(%rip)
    movq entry_argument(%rip), %rdi
    movq entry_argument + 8(%rip), %rsi
    movq entry_argument + 16(%rip), %rdx
    movq entry_argument + 24(%rip), %rcx
    movq entry_argument + 32(%rip), %r8
    movq entry_argument + 40(%rip), %r9
    movabsq $ENTRY_RBX, %rbx
    movq $ENTRY_RBP, %rbp
    movabsq $ENTRY_R12, %r12
    movabsq $ENTRY_R13, %r13
    movabsq $ENTRY_R14, %r14
    movq entry_way(%rip), %r15
    movq %rbx, %r10
    movq %rbx, %r11
    pushq $ENTRY_RFLAGS
    popfq
    call *entry_function(%rip)
    KEEP rax, AFTER_RAX
    KEEP rbx, AFTER_RBX
    KEEP rcx, AFTER_RCX
    KEEP rdx, AFTER_RDX
    KEEP rsi, AFTER_RSI
    KEEP rdi, AFTER_RDI
    KEEP rbp, AFTER_RBP
    KEEP rsp, AFTER_RSP
    KEEP r8, AFTER_R8
    KEEP r9, AFTER_R9
    KEEP r10, AFTER_R10
    KEEP r11, AFTER_R11
    KEEP r12, AFTER_R12
    KEEP r13, AFTER_R13
    KEEP r14, AFTER_R14
    KEEP r15, AFTER_R15
    movq entry_stack(%rip), %rsp
    pushfq
    popq entry_after + AFTER_RFLAGS(%rip)
    addq $8, %rsp
    popfq
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret
    .size entry_call, . - entry_call

    .section .note.GNU-stack, "", @progbits
