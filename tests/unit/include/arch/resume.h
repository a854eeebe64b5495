/* SPDX-License-Identifier: MIT
 * Host stand-in: the test notes who leaves the kernel with what, and goes on itself. */
#pragma once
#include <stdint.h>

struct thread;

_Noreturn void thread_resume(struct thread *t);
_Noreturn void thread_resume_ok(struct thread *t, uint64_t value);
