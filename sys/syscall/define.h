/* SPDX-License-Identifier: MIT
 * IMPLEMENT_SYSCALL(name) { ... }: what a call of sys/abi/syscalls.def does. Its row is decoded and validated first;
 * the body sees `a`, the decoded arguments, and `p`, the calling process, and gives the result. Nothing of the kernel
 * has been touched before the body begins. IMPLEMENT_HOT_SYSCALL(name) { ... }: the same for a call that must be fast:
 * arguments_are_hot is tried first. IMPLEMENT_DIRECT_SYSCALL(name, direct) { ... }: then also `direct`, an expression
 * over `a` that goes to another thread and does not return if it can. The body does the same in every case.
 * sys_<name>_careful is the call without either: for hooks, which want to see the end of every call. */
#pragma once
#include "sys/syscall/arguments.h"
#include "sys/syscall/table.h"

#define likely(x) __builtin_expect(!!(x), 1)

#define SYSCALL_BODY(name, storage, entry)                                                                             \
    static inline struct result name##_body([[maybe_unused]] struct process *p,                                        \
                                            [[maybe_unused]] const uint64_t a[SYSCALL_ARGUMENTS]);                     \
    storage struct result entry(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)          \
    {                                                                                                                  \
        uint64_t a[SYSCALL_ARGUMENTS] = {a0, a1, a2, a3, a4, a5};                                                      \
        struct process *p = sched_current()->process;                                                                  \
        enum status s = name##_count ? arguments_check(p, name##_arguments, name##_count, a) : STATUS_OK;              \
        return s == STATUS_OK ? name##_body(p, a) : result_of(s);                                                      \
    }

#define IMPLEMENT_SYSCALL(name)                                                                                        \
    SYSCALL_BODY(name, , sys_##name)                                                                                   \
    static inline struct result name##_body([[maybe_unused]] struct process *p,                                        \
                                            [[maybe_unused]] const uint64_t a[SYSCALL_ARGUMENTS])

#define IMPLEMENT_HOT_SYSCALL(name)                                                                                    \
    SYSCALL_BODY(name, static __attribute__((noinline)), name##_careful)                                               \
    SYSCALL_HOT(name, name##_careful, (void)0)

#define IMPLEMENT_DIRECT_SYSCALL(name, direct)                                                                         \
    SYSCALL_BODY(name, __attribute__((noinline)), sys_##name##_careful)                                                \
    SYSCALL_HOT(name, sys_##name##_careful, direct)

#define SYSCALL_HOT(name, careful, direct)                                                                             \
    struct result sys_##name(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)             \
    {                                                                                                                  \
        const uint64_t raw[SYSCALL_ARGUMENTS] = {a0, a1, a2, a3, a4, a5};                                              \
        uint64_t a[SYSCALL_ARGUMENTS] = {0};                                                                           \
        struct process *p = sched_current()->process;                                                                  \
        if (!likely(arguments_are_hot(p, name##_arguments, name##_count, raw, a)))                                     \
            return careful(a0, a1, a2, a3, a4, a5);                                                                    \
        direct;                                                                                                        \
        return name##_body(p, a);                                                                                      \
    }                                                                                                                  \
    static inline struct result name##_body([[maybe_unused]] struct process *p,                                        \
                                            [[maybe_unused]] const uint64_t a[SYSCALL_ARGUMENTS])
