/* SPDX-License-Identifier: MIT
 * Leaving the kernel to the current thread (entry.S): its address space is loaded, `current` names it. The kernel stack
 * is abandoned, so these are jumps: a caller need not keep anything. */
#pragma once
#include <stdint.h>

struct thread;

/* It goes on with what it was blocked or interrupted in. */
_Noreturn static inline void thread_resume(struct thread *t)
{
    __asm__ volatile("jmp thread_resume" ::"D"(t) : "memory");
    __builtin_unreachable();
}

/* It was blocked in a call, which gives OK and this value. */
_Noreturn static inline void thread_resume_ok(struct thread *t, uint64_t value)
{
    __asm__ volatile("jmp thread_resume_ok" ::"D"(t), "d"(value) : "memory");
    __builtin_unreachable();
}
