/* SPDX-License-Identifier: MIT
 * void fuzz_enter(void): all registers as in fuzz_before, a call of its RIP with fuzz_seventh on the stack, as C passes
 * a seventh argument, and all registers as they come back to fuzz_after. Nothing in between needs a register. */
#include "tests/guest/registers.h"

    .text
    .globl fuzz_enter
    .type fuzz_enter, @function
fuzz_enter:
    PUSH_KEPT
    movq %rsp, stack
    movq fuzz_before + 8 * REGISTER_RSP, %rsp
    pushq fuzz_seventh
    pushq fuzz_before + 8 * REGISTER_RFLAGS
    popfq
    LOAD_GENERAL fuzz_before
    call *fuzz_before + 8 * REGISTER_RIP
    STORE_GENERAL fuzz_after
    movq stack, %rsp
    pushfq
    popq fuzz_after + 8 * REGISTER_RFLAGS
    pushq $2
    popfq
    POP_KEPT
    ret
    .size fuzz_enter, . - fuzz_enter

/* A second thread, with two arguments: ends with the first after counting down from the second. */
    .globl fuzz_thread
    .type fuzz_thread, @function
fuzz_thread:
    decl %esi
    jnz fuzz_thread
    call thread_exit
    .size fuzz_thread, . - fuzz_thread

    .bss
    .balign 8
stack:
    .skip 8

    .section .note.GNU-stack, "", @progbits
