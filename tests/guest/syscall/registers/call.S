/* SPDX-License-Identifier: MIT
 * A call with all registers as the test says, and all of them noted before anything else happens. Nothing between the
 * loads and the stores changes a flag. */
#define RAX 0
#define RBX 8
#define RCX 16
#define RDX 24
#define RSI 32
#define RDI 40
#define RBP 48
#define RSP 56
#define R8 64
#define R9 72
#define R10 80
#define R11 88
#define R12 96
#define R13 104
#define R14 112
#define R15 120
#define RFLAGS 128
#define BYTES 136

    .text
    .globl registers_call
    .type registers_call, @function
registers_call:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushfq
    movq %rsp, registers_before + RSP
    pushq registers_before + RFLAGS
    popfq
    movq registers_before + RAX, %rax
    movq registers_before + RBX, %rbx
    movq registers_before + RCX, %rcx
    movq registers_before + RDX, %rdx
    movq registers_before + RSI, %rsi
    movq registers_before + RDI, %rdi
    movq registers_before + RBP, %rbp
    movq registers_before + R8, %r8
    movq registers_before + R9, %r9
    movq registers_before + R10, %r10
    movq registers_before + R11, %r11
    movq registers_before + R12, %r12
    movq registers_before + R13, %r13
    movq registers_before + R14, %r14
    movq registers_before + R15, %r15
    call *registers_target
    movq %rax, registers_after + RAX
    movq %rbx, registers_after + RBX
    movq %rcx, registers_after + RCX
    movq %rdx, registers_after + RDX
    movq %rsi, registers_after + RSI
    movq %rdi, registers_after + RDI
    movq %rbp, registers_after + RBP
    movq %rsp, registers_after + RSP
    movq %r8, registers_after + R8
    movq %r9, registers_after + R9
    movq %r10, registers_after + R10
    movq %r11, registers_after + R11
    movq %r12, registers_after + R12
    movq %r13, registers_after + R13
    movq %r14, registers_after + R14
    movq %r15, registers_after + R15
    movq registers_before + RSP, %rsp
    pushfq
    popq registers_after + RFLAGS
    popfq
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

    .bss
    .globl registers_before, registers_after, registers_target
    .balign 64
registers_before:
    .skip BYTES
registers_after:
    .skip BYTES
registers_target:
    .skip 8

    .section .note.GNU-stack, "", @progbits
