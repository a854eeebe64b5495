/* SPDX-License-Identifier: MIT
 * Several CPUs for a host test: their per-CPU variables (arch/percpu.h), their inboxes, which are the kernel's
 * (sched/inbox.c), and memory. Tests are compiled with -Itests/unit/cpus first: see `cpus_test` in rules.mk. */
#pragma once
#include <stdint.h>

/* CPUs 0 to n - 1, all as at boot, with empty inboxes; this thread is CPU 0. Whatever was there before is gone. */
void cpus_create(uint32_t n);

/* This host thread is that CPU from here on. */
void cpu_become(uint32_t cpu);

/* Runs what is in this CPU's inbox, and what comes of it, up to `steps` looks. */
void cpu_look(uint32_t steps);

/* Lets each CPU look in turn until nothing is left. Single-threaded tests. */
void cpus_settle(void);
