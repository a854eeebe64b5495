/* SPDX-License-Identifier: MIT
 * How a call of sys/abi/syscalls.def is implemented:
 *
 *   IMPLEMENT_SYSCALL(name) { ... }          its row is decoded and validated first; the body sees `a`, the decoded
 *                                            arguments, and `p`, the calling process, and gives the result. Nothing
 *                                            of the kernel has been touched before the body begins.
 *   IMPLEMENT_HOT_SYSCALL(name) { ... }      the same for a call that must be fast: arguments_are_hot is tried first
 *   IMPLEMENT_SYSCALL_AS(name, as) { ... }   sys_<as>, where sys_<name> is somebody else's who falls back on it */
#pragma once
#include "sys/syscall/arguments.h"
#include "sys/syscall/table.h"

#define likely(x) __builtin_expect(!!(x), 1)

#define SYSCALL_BODY(name)                                                                                             \
    static inline struct result name##_body([[maybe_unused]] struct process *p,                                        \
                                            [[maybe_unused]] const uint64_t a[SYSCALL_ARGUMENTS])

#define SYSCALL_CHECKED(name, storage, entry)                                                                          \
    SYSCALL_BODY(name);                                                                                                \
    storage struct result entry(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)          \
    {                                                                                                                  \
        uint64_t a[SYSCALL_ARGUMENTS] = {a0, a1, a2, a3, a4, a5};                                                      \
        struct process *p = sched_current()->process;                                                                  \
        enum status s = name##_count ? arguments_check(p, name##_arguments, name##_count, a) : STATUS_OK;              \
        return s == STATUS_OK ? name##_body(p, a) : result_of(s);                                                      \
    }

#define IMPLEMENT_SYSCALL(name) IMPLEMENT_SYSCALL_AS(name, name)

#define IMPLEMENT_SYSCALL_AS(name, as)                                                                                 \
    SYSCALL_CHECKED(name, , sys_##as)                                                                                  \
    SYSCALL_BODY(name)

/* No register is kept for an argument that the call has not. */
#define IF_THERE(name, i, argument) (name##_count > (i) ? (argument) : 0)

#define IMPLEMENT_HOT_SYSCALL(name)                                                                                    \
    SYSCALL_CHECKED(name, static __attribute__((noinline)), name##_careful)                                            \
    struct result sys_##name(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)             \
    {                                                                                                                  \
        const uint64_t raw[SYSCALL_ARGUMENTS] = {a0, a1, a2, a3, a4, a5};                                              \
        uint64_t a[SYSCALL_ARGUMENTS] = {0};                                                                           \
        struct process *p = sched_current()->process;                                                                  \
        if (!likely(arguments_are_hot(p, name##_arguments, name##_count, raw, a)))                                     \
            return name##_careful(a0, a1, a2, IF_THERE(name, 3, a3), IF_THERE(name, 4, a4), IF_THERE(name, 5, a5));    \
        return name##_body(p, a);                                                                                      \
    }                                                                                                                  \
    SYSCALL_BODY(name)
