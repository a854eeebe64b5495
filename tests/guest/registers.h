/* SPDX-License-Identifier: MIT
 * All registers of a process as words in memory, for C and assembly: what they are before a jump, and after it. */
#pragma once

#define REGISTER_RAX 0
#define REGISTER_RBX 1
#define REGISTER_RCX 2
#define REGISTER_RDX 3
#define REGISTER_RSI 4
#define REGISTER_RDI 5
#define REGISTER_RBP 6
#define REGISTER_R8 7
#define REGISTER_R9 8
#define REGISTER_R10 9
#define REGISTER_R11 10
#define REGISTER_R12 11
#define REGISTER_R13 12
#define REGISTER_R14 13
#define REGISTER_R15 14
#define REGISTER_GENERAL 15 /* so many, but for the stack pointer */
#define REGISTER_RSP 15
#define REGISTER_RFLAGS 16
#define REGISTER_RIP 17
#define REGISTERS 18

#define FREE_FLAGS 0x244cd5   /* what a process may set at any time: arithmetic flags, DF, OF, NT, AC, ID; not TF */
#define STICKY_FLAGS 0x244400 /* those of them that no arithmetic changes */

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, rsp, rflags, rip;
};
_Static_assert(offsetof(struct registers, r15) == 8 * REGISTER_R15, "as above");
_Static_assert(offsetof(struct registers, rip) == 8 * REGISTER_RIP, "as above");
_Static_assert(sizeof(struct registers) == 8 * REGISTERS, "as above");
#else
/* What C keeps over a call. */
.macro PUSH_KEPT
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm

.macro POP_KEPT
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
.endm

.macro LOAD_GENERAL from
    movq \from + 8 * REGISTER_RAX, %rax
    movq \from + 8 * REGISTER_RBX, %rbx
    movq \from + 8 * REGISTER_RCX, %rcx
    movq \from + 8 * REGISTER_RDX, %rdx
    movq \from + 8 * REGISTER_RSI, %rsi
    movq \from + 8 * REGISTER_RDI, %rdi
    movq \from + 8 * REGISTER_RBP, %rbp
    movq \from + 8 * REGISTER_R8, %r8
    movq \from + 8 * REGISTER_R9, %r9
    movq \from + 8 * REGISTER_R10, %r10
    movq \from + 8 * REGISTER_R11, %r11
    movq \from + 8 * REGISTER_R12, %r12
    movq \from + 8 * REGISTER_R13, %r13
    movq \from + 8 * REGISTER_R14, %r14
    movq \from + 8 * REGISTER_R15, %r15
.endm

/* And the stack pointer. */
.macro STORE_GENERAL to
    movq %rax, \to + 8 * REGISTER_RAX
    movq %rbx, \to + 8 * REGISTER_RBX
    movq %rcx, \to + 8 * REGISTER_RCX
    movq %rdx, \to + 8 * REGISTER_RDX
    movq %rsi, \to + 8 * REGISTER_RSI
    movq %rdi, \to + 8 * REGISTER_RDI
    movq %rbp, \to + 8 * REGISTER_RBP
    movq %r8, \to + 8 * REGISTER_R8
    movq %r9, \to + 8 * REGISTER_R9
    movq %r10, \to + 8 * REGISTER_R10
    movq %r11, \to + 8 * REGISTER_R11
    movq %r12, \to + 8 * REGISTER_R12
    movq %r13, \to + 8 * REGISTER_R13
    movq %r14, \to + 8 * REGISTER_R14
    movq %r15, \to + 8 * REGISTER_R15
    movq %rsp, \to + 8 * REGISTER_RSP
.endm
#endif
