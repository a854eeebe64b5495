/* SPDX-License-Identifier: MIT
 * Host stand-in: time stamp and pause are unprivileged; the test provides cpuid and the MSRs. */
#pragma once
#include <stdint.h>

#define CACHE_LINE 64

static inline uint64_t cpu_rdtsc(void)
{
    return __builtin_ia32_rdtsc();
}
static inline uint64_t cpu_rdtsc_ordered(void)
{
    __asm__ volatile("lfence" ::: "memory"); /* the builtin wants SSE2, which -mgeneral-regs-only takes away */
    return __builtin_ia32_rdtsc();
}
static inline void cpu_pause(void)
{
    __builtin_ia32_pause();
}
static inline void cpu_prefetch(const void *p)
{
    __builtin_prefetch(p);
}

struct cpuid_regs {
    uint32_t eax, ebx, ecx, edx;
};
struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf);
uint64_t rdmsr(uint32_t msr);
void wrmsr(uint32_t msr, uint64_t value);
