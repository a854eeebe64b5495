/* SPDX-License-Identifier: MIT
 * Single instructions of the CPU that have no C: time stamp, pause, halt, CPUID, model-specific and control registers.
 */
#pragma once
#include <stdint.h>

#define CACHE_LINE 64

static inline uint64_t cpu_rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* As cpu_rdtsc, but no earlier load or instruction is still under way when it reads. */
static inline uint64_t cpu_rdtsc_ordered(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

/* Ends a QEMU round-robin turn under icount as well: every wait loop needs one. */
static inline void cpu_pause(void)
{
    __asm__ volatile("pause" ::: "memory");
}

/* Asks for a cache line that will be read soon; any address, also none that is mapped. */
static inline void cpu_prefetch(const void *p)
{
    __asm__ volatile("prefetcht0 %0" ::"m"(*(const unsigned char *)p));
}

struct cpuid_regs {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}
