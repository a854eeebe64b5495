/* SPDX-License-Identifier: MIT
 * What the processes of the fuzzing test agree on. Whoever works asks the judge what to do and tells at the same time
 * what it did since it asked last; while the judge does not answer, it rests. Each counts its own calls, by number. */
#pragma once
#include "tests/guest/check.h"

enum {
#define DEFINE_SYSCALL(number, name, ...) NUMBER_##name = number,
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL
    NUMBERS /* with a row; the rest, up to USER_CALLS, come and go */
};

struct fuzz_order {
    uint64_t calls;  /* random calls to make now */
    uint64_t starts; /* other threads and processes may be started */
    uint64_t dies;   /* in the end, somehow */
};

struct fuzz_report {
    uint64_t work;              /* random calls, exchanges, looks */
    uint64_t ok[NUMBERS + 1];   /* random calls that gave OK; the last: all numbers without a row */
    uint64_t calls[USER_CALLS]; /* all calls, this one included */
};

extern struct fuzz_report fuzz_report; /* each program has its own */

/* A call by name, counted. */
#define COUNTED(name) (fuzz_report.calls[NUMBER_##name]++, name)

static inline struct fuzz_order fuzz_ask(uint64_t judge)
{
    struct fuzz_order order;
    check_ok("judge",
             COUNTED(channel_transact)(judge, &fuzz_report, sizeof fuzz_report, &order, sizeof order, TIME_MAX),
             sizeof order);
    memset(&fuzz_report, 0, sizeof fuzz_report);
    return order;
}

/* Each process draws its own numbers, the same whenever the boot's seed is the same, and others on other machines. */
extern uint64_t fuzz_state; /* each program has its own */

static inline uint64_t fuzz_seed(void)
{
    return tern_argument_u64("seed", 1);
}

static inline void fuzz_random_begin(void)
{
    uint64_t machine = tern_vvar()->cpu_count * 2 + (features() & VVAR_FEATURE_SYSENTER);
    uint64_t x = (fuzz_seed() * 256 + machine) * 256 + tern_vvar()->process;
    x = (x ^ x >> 31) * 0xbf58476d1ce4e5b9ul;
    fuzz_state = (x ^ x >> 29) * 0x94d049bb133111ebul;
}

/* A linear congruence, whose upper half is good; it lends the lower half some. */
static inline uint64_t fuzz_random(void)
{
    fuzz_state = fuzz_state * 0xd1342543de82ef95ul + 1;
    return fuzz_state ^ fuzz_state >> 32;
}

/* 0 .. n - 1 */
static inline uint64_t fuzz_below(uint64_t n)
{
    return (fuzz_random() >> 32) * n >> 32;
}

/* Borders, halves, other processes, anything. */
static __attribute__((noinline, unused)) uint64_t fuzz_extreme(uint64_t r)
{
    uint64_t low = r >> 40, small = r >> 58;
    switch (r & 15) {
    case 0:
        return UINT64_MAX;
    case 1:
        return 0 - small;
    case 2:
        return 0x8000000000000000 + small;
    case 3:
        return 0x0000800000000000 - 32 + small; /* the border of the canonical addresses */
    case 4:
        return 0xffff800000000000 + low * 16; /* RAM as the kernel sees it */
    case 5:
        return 0xffffffff80200000 + low / 8; /* the kernel */
    case 6:
        return 0xffffd00000000000 + low; /* its stacks */
    case 7:
        return USER_VVAR_BASE + low / 1024;
    case 8:
        return USER_END - 32 + small;
    case 9:
        return USER_PROCESS_BASE + small * USER_PROCESS_STRIDE + low / 256;
    case 10:
        return small;
    case 11:
        return (UINT64_C(1) << small) - 1 + (low & 1);
    case 12:
        return r >> 32;
    default:
        return r;
    }
}

/* The same, but nothing that this process may use as an address. */
static __attribute__((noinline, unused)) uint64_t fuzz_wild(void)
{
    uint64_t value = fuzz_extreme(fuzz_random());
    uint64_t own = USER_PROCESS_BASE + tern_vvar()->process * (uint64_t)USER_PROCESS_STRIDE;
    return value - own < USER_PROCESS_STRIDE ? value + USER_PROCESS_STRIDE : value;
}
