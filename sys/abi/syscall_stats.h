/* SPDX-License-Identifier: MIT
 * What syscall_stats gives. Counts are of all CPUs, read while they go on counting. Latencies are there while the hook
 * `latency` is on, for the calls that it saw begin and end since it was last switched on, refused and invalid ones too;
 * they stay when it is switched off. All calls registered at run time share one row. In units of the samples of this
 * boot (struct vvar, unit), within 3 % (slots of 1/32). */
#ifndef TERN_ABI_SYSCALL_STATS_H
#define TERN_ABI_SYSCALL_STATS_H
#include <stdint.h>

struct syscall_stats {
    uint64_t calls;   /* that came from the right instruction, refused and invalid ones too */
    uint64_t samples; /* latencies */
    uint64_t min, p50, p99, p999, max; /* 0 without samples */
    uint64_t sum;
};

#endif
