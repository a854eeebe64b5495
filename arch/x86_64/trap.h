/* SPDX-License-Identifier: MIT
 * The interrupt descriptor table and the report of a kernel fault. What traps mean is sys/trap.c's. */
#pragma once
#include <arch/frame.h>
#include <stdint.h>
#include "sched/thread.h"

#define TRAP_EXCEPTIONS 32

/* Fills the table; boot CPU, first thing. Until percpu_activate only faults that need no stack of their own are caught.
 */
void trap_init(void);

/* Loads the table: each CPU. */
void trap_activate(void);

/* "page fault" and the like. */
const char *trap_name(uint64_t vector);

/* Registers and a symbolised backtrace on every console, then the end with a failing status. */
_Noreturn void fault_report(const struct frame *f);

/* Backtrace from a frame pointer, for panics. */
void fault_backtrace(uint64_t frame_pointer);

/* Supplied by sys/trap.c. */
void trap_user(struct thread *t);
void trap_kernel(struct frame *f);
