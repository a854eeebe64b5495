/* SPDX-License-Identifier: MIT
 * Starting the other CPUs, by the platform's way or by INIT and start-up IPIs, one after the other, each with a time limit of its own: a CPU that
 * does not come is named and left out. */
#pragma once
#include <stdint.h>
#include "arch/x86_64/cpu_list.h"

/* Where a CPU that is started arrives, in long mode with any tables that map the kernel (ap_boot.S). */
extern const char ap_high[];

/* Starts up to `limit` CPUs in all, the running one included (it becomes index 0). Returns how many run. Boot CPU,
 * once. */
uint32_t smp_start(const struct cpu_list *list, uint32_t limit);

/* The largest step backwards between two CPUs' time stamps seen at boot, in TSC ticks; 0: none. */
uint64_t smp_tsc_skew(void);

/* Lets the started CPUs run threads. */
void smp_release(void);
