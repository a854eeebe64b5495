/* SPDX-License-Identifier: MIT
 * All registers before a call and after it. Offsets are known to call.S. */
#pragma once
#include "tests/guest/check.h"

struct registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15, rflags;
};

extern struct registers registers_before; /* rsp: filled in by registers_call */
extern struct registers registers_after;
extern void (*registers_target)(void);

/* Loads everything but RSP from registers_before, calls, stores everything in registers_after. */
void registers_call(void);
