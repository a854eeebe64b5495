/* SPDX-License-Identifier: MIT
 * The hook `latency`: how long each call took, from the kernel's entry to its result, in ticks of the time stamp
 * counter. A row per number that is there from boot and one for all others, on each CPU, so no line is shared.
 * Log-linear slots as in perf/hist.h, but 32 per power of two. When the machine stops, the rows of all CPUs go to the
 * host as histograms syscall.latency.<name>. */
#pragma once
#include "sys/abi/syscall_stats.h"
#include "sys/syscall/hook.h"

extern struct syscall_hook latency_hook;

/* Boot: room for the rows. `sample_mult`: from ticks to the unit of samples, 32.32. False: no memory. */
bool latency_reserve(uint32_t cpus, uint64_t sample_mult, const char *unit);

/* Adds what is known of a number's latencies on all CPUs. */
void latency_stats(uint32_t number, struct syscall_stats *stats);

/* Boot CPU, before the consoles finish. */
void latency_export(void);
