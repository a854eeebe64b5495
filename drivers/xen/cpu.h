/* SPDX-License-Identifier: MIT
 * A CPU of a Xen guest: the words that Xen shares with it, its event ports, how it is started. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct vcpu_info;

/* This CPU's words, in its own area. After xen_cpu_activate. */
struct vcpu_info *xen_vcpu_info(void);

/* Xen's clock in nanoseconds, which timers are set by. */
uint64_t xen_clock_ns(void);

/* platform.activate, and for the boot CPU: registers this CPU's words and binds its ports. False: Xen refuses. */
bool xen_cpu_activate(uint32_t cpu);

/* platform.start, by hypercall. */
bool xen_cpu_start(uint32_t cpu, uint32_t apic_id);

/* Has Xen count in the steal page when this CPU wants to run and does not, and the others when they are activated. Boot
 * CPU. False: Xen does not. */
bool xen_cpu_count_stolen(void);

/* platform.stop */
void xen_cpu_stop(uint32_t apic_id);

/* platform.timer_arm and platform.wake. */
void xen_timer_arm(uint64_t ns);
void xen_cpu_wake(uint32_t cpu);
