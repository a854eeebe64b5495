/* SPDX-License-Identifier: MIT
 * The end of a process: its thread runs no more, and the other end of each of its channels learns of it now. Its memory
 * stays (nothing is freed after boot). When the last process of the whole machine has ended, the machine stops. */
#pragma once
#include <stdint.h>
#include "sched/process.h"

#define PROCESS_EXIT_FAULT (-1)
#define PROCESS_EXIT_BAD_ORIGIN (-2)

/* Home CPU. If the current thread is the process's, the caller must call sched_block next. */
void process_stop(struct process *p, int32_t exit_code);

/* How many processes there are; boot, once. */
void process_set_count(uint32_t count);
