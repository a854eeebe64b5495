/* SPDX-License-Identifier: MIT
 * What the hooks tests share: switching, and counting what the hook `latency` saw. */
#pragma once
#include "tests/guest/check.h"

#define ADD_NUMBER 42

#define DEFINE_SYSCALL(number, name, ...) CALL_##name = number,
enum {
#include "sys/abi/syscalls.def"
};
#undef DEFINE_SYSCALL

/* Until it is so on all CPUs. */
static inline void hook_switch(const char *name, bool on)
{
    struct result r = syscall_hook(name, strlen(name), on);
    while (r.status == STATUS_UNAVAILABLE)
        r = syscall_hook(name, strlen(name), on);
    check_status(name, r.status, STATUS_OK);
}

static inline struct syscall_stats hook_stats(uint64_t number)
{
    struct syscall_stats stats;
    check_ok("statistics", syscall_stats(number, &stats, sizeof stats), sizeof stats);
    return stats;
}

/* A call that is there from boot has been seen so often since latency was switched on. */
static inline void hook_check_samples(const char *what, uint64_t number, uint64_t samples)
{
    check_u64(what, hook_stats(number).samples, samples);
}
