/* SPDX-License-Identifier: MIT
 * Host stand-in: the test plays the address space register, the interrupt flag and the end of the machine. */
#pragma once
#include <stdint.h>

void cr3_write(uint64_t v);
void interrupts_window(void);
void interrupts_halt(void);

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));
void idt_load(const struct table_pointer *p);
_Noreturn void cpu_stop(void);

/* The C library has a function of this name, which the test runner needs. */
#define sched_yield kernel_sched_yield
