/* SPDX-License-Identifier: MIT
 * A call with all registers as the test says, and all of them noted before anything else happens. Nothing between the
 * loads and the stores changes a flag. */
#include "tests/guest/registers.h"

    .text
    .globl registers_call
    .type registers_call, @function
registers_call:
    PUSH_KEPT
    pushfq
    movq %rsp, registers_before + 8 * REGISTER_RSP
    pushq registers_before + 8 * REGISTER_RFLAGS
    popfq
    LOAD_GENERAL registers_before
    call *registers_target
    STORE_GENERAL registers_after
    movq registers_before + 8 * REGISTER_RSP, %rsp
    pushfq
    popq registers_after + 8 * REGISTER_RFLAGS
    popfq
    POP_KEPT
    ret

    .bss
    .globl registers_before, registers_after, registers_target
    .balign 64
registers_before:
    .skip 8 * REGISTERS
registers_after:
    .skip 8 * REGISTERS
registers_target:
    .skip 8

    .section .note.GNU-stack, "", @progbits
