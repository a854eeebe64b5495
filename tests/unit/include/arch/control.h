/* SPDX-License-Identifier: MIT
 * Host stand-in: the test plays the address space register and the interrupt flag. */
#pragma once
#include <stdint.h>

void cr3_write(uint64_t v);
void interrupts_window(void);
void interrupts_halt(void);

/* The C library has a function of this name, which the test runner needs. */
#define sched_yield kernel_sched_yield
