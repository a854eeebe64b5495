/* SPDX-License-Identifier: MIT
 * struct vvar: the read-only page at USER_VVAR_BASE of each process. Written once, before the process starts.
 * ns since boot = ((rdtsc - tsc_base) * ns_mult) >> 32, a 128-bit product. */
#ifndef TERN_ABI_VVAR_H
#define TERN_ABI_VVAR_H

#define VVAR_MAGIC 0x52415656u
#define VVAR_ARGUMENTS_BYTES 1024

/* Bits of `features`. */
#define VVAR_FEATURE_SYSENTER 1      /* calls enter by SYSENTER, otherwise by SYSCALL */
#define VVAR_FEATURE_TSC_INVARIANT 2 /* the time stamp counter runs at one rate in every power state */
#define VVAR_FEATURE_HYPERVISOR 4    /* one says so in CPUID */

/* The page at USER_STEAL_BASE has one area for each CPU, that the hypervisor writes. */
#define STEAL_AREA_BYTES 64
#define VVAR_NO_STEAL 0xffffffffu

#ifndef __ASSEMBLER__
#include <stdint.h>

struct vvar {
    uint32_t magic;       /* VVAR_MAGIC */
    uint32_t version;     /* 1 */
    uint64_t tsc_base;    /* TSC at nanosecond 0 */
    uint64_t ns_mult;     /* nanoseconds per TSC tick, 32.32 fixed point */
    uint64_t sample_mult; /* unit of a latency sample per TSC tick, 32.32: 1.0 when the unit is ticks (instructions) */
    uint64_t entry_tsc;   /* TSC at the kernel's first instruction */
    uint64_t features;    /* VVAR_FEATURE_* */
    uint32_t cpu;         /* home CPU of this process */
    uint32_t cpu_count;   /* CPUs that run */
    uint32_t process;     /* index of this process in the image */
    uint32_t unit;        /* enum vvar_unit: what sample_mult yields */
    char arguments[VVAR_ARGUMENTS_BYTES]; /* the kernel's command line, NUL terminated */
    uint32_t steal_offset; /* of the stolen nanoseconds, 64 bits, in a CPU's area; VVAR_NO_STEAL: nobody counts them */
    uint32_t reserved;
};
_Static_assert(sizeof(struct vvar) <= 4096, "vvar is one page");

enum vvar_unit { VVAR_UNIT_NS = 0, VVAR_UNIT_INSTRUCTIONS = 1 };
#endif

/* Offsets for the vDSO's assembly; asserted in sys/vdso/vdso_offsets.c. */
#define VVAR_TSC_BASE 8
#define VVAR_NS_MULT 16
#define VVAR_FEATURES 40
#define VVAR_CPU 48

#endif
