/* SPDX-License-Identifier: MIT
 * What the kernel tells the event bus of by itself, beside what happens to processes and interrupts, which is published
 * where it happens: memory pressure, the processes of the boot, and losses of the bus at the end. */
#pragma once
#include <stdint.h>
#include "sched/process.h"

/* Each CPU's bus starts when it first looks at its inbox, before any process there runs; then its processes have been
 * created. Boot CPU, when all that subscribes at boot has. */
void publisher_start(const struct process *processes, uint32_t count, uint32_t cpus);

/* Writes to the log what was dropped because queues were full. At the end; the CPUs have stopped. */
void publisher_write_losses(uint32_t cpus);
