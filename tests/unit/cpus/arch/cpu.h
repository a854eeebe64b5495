/* SPDX-License-Identifier: MIT
 * Host stand-in: the test plays the time stamp, and what other CPUs do while this one waits for them. */
#pragma once
#include <stdint.h>

#define CACHE_LINE 64

uint64_t cpu_rdtsc(void);
void cpu_pause(void);

static inline void cpu_prefetch(const void *p)
{
    __builtin_prefetch(p);
}

/* Of tests whose source wants them: the test plays these. */
struct cpuid_regs {
    uint32_t eax, ebx, ecx, edx;
};
struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf);
void wrmsr(uint32_t msr, uint64_t value);
