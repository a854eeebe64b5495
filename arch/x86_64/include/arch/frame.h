/* SPDX-License-Identifier: MIT
 * Saved user registers. The first member of struct thread: entry.S stores into it, so a blocked thread is nothing but
 * this and what it waits for. A system call fills rbx, rbp, r12..r15, rip, rflags, rsp; an interrupt fills everything.
 */
#pragma once
#include <stdint.h>

struct frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss; /* as the CPU pushes them */
};
_Static_assert(sizeof(struct frame) == 22 * 8, "entry.S copies 22 words");
