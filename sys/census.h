/* SPDX-License-Identifier: MIT
 * The census at the end of the machine: is everything that boot counted still there, and where it belongs? Every boot
 * ends with its line in the log, so that every test compares what it left behind with the baseline. Boot CPU. */
#pragma once
#include <stdbool.h>
#include "sched/process.h"

/* What there is to count, on CPUs 0 to cpus - 1; the frames that are free now are the baseline. At the seal. */
void census_begin(const struct process *processes, uint32_t count, uint32_t cpus);

/* Counts, and writes the line. All other CPUs have stopped, each between two calls, so that no thread is on its way
 * from one place to another. False: something is not as it must be; each finding has a line `census: BROKEN: ...`. */
bool census_take(void);
