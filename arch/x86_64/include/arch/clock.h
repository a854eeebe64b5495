/* SPDX-License-Identifier: MIT
 * Nanoseconds since boot, from the TSC. Its rate is found once, at boot, from the best source there is; the source
 * travels with every result. ns = ((tsc - base) * mult) >> 32 in 128 bits. Any CPU, any context. */
#pragma once
#include <arch/cpu.h>
#include <stdbool.h>
#include <stdint.h>

struct clock {
    uint64_t tsc_base; /* TSC at nanosecond 0 */
    uint64_t mult;     /* nanoseconds per tick, 32.32 fixed point */
    uint64_t tsc_khz;
    const char *source; /* provenance, e.g. "CPUID 0x15", "HPET" */
    bool emulated_tsc;  /* each RDTSC leaves the guest (Xen): results say so */
};

extern struct clock clock_state; /* [I] after clock_init */

struct clock_hints {
    uint64_t tsc_base;      /* the first instruction's time stamp */
    uint64_t tsc_khz;       /* from the command line; 0 = find out */
    uint64_t hpet_base;     /* physical; 0 = none */
    uint16_t pm_timer_port; /* 0 = none */
    bool pm_timer_32bit;
};

/* Finds the TSC's rate; false if no source exists and the command line does not tell it either. */
bool clock_init(const struct clock_hints *hints);

/* Nanoseconds that so many ticks of the TSC take. */
static inline uint64_t clock_ticks_to_ns(uint64_t ticks)
{
    return (uint64_t)(((unsigned __int128)ticks * clock_state.mult) >> 32);
}

static inline uint64_t clock_from_tsc(uint64_t tsc)
{
    return clock_ticks_to_ns(tsc - clock_state.tsc_base);
}

static inline uint64_t clock_now_ns(void)
{
    return clock_from_tsc(cpu_rdtsc());
}

/* The first TSC value that clock_from_tsc takes to `ns` or later; the highest one for a time beyond all of them. */
uint64_t clock_to_tsc(uint64_t ns);
