/* SPDX-License-Identifier: MIT
 * entry_call: the call in entry_function with the seven values of entry_argument, from known registers; all that it
 * leaves goes into entry_after. Everything is found by address, since no register is trusted when the call returns.
 * Each program that wants this includes it in a file of its own. */
#include "tests/guest/entry/entry.h"
#include "tests/guest/registers.h"

    .text
    .globl entry_call
    .type entry_call, @function
entry_call:
    PUSH_KEPT
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
    STORE_GENERAL entry_after
    movq entry_stack(%rip), %rsp
    pushfq
    popq entry_after + 8 * REGISTER_RFLAGS
    addq $8, %rsp
    popfq
    POP_KEPT
    ret
    .size entry_call, . - entry_call

    .section .note.GNU-stack, "", @progbits
