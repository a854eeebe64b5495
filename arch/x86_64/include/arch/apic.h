/* SPDX-License-Identifier: MIT
 * The local APIC: identity, inter-processor interrupts, the one-shot timer. xAPIC registers or x2APIC MSRs behind one
 * table of three operations, chosen at boot. Each function acts on the running CPU's APIC. */
#pragma once
#include <arch/memory.h>
#include <stdbool.h>
#include <stdint.h>

/* Chooses the mode and maps the registers at `base` when it is xAPIC. Boot CPU, once. */
void apic_init(paddr_t base);

/* Turns the running CPU's APIC on with every local source masked but the NMI, for which the CPU must be ready. */
void apic_activate(void);

/* Ticks per second of the one-shot timer, by CPUID or against the TSC; after clock_init. Boot CPU, once. */
void apic_timer_calibrate(void);

/* From here on platform.eoi and platform.send_others are asked first, where there is one. Boot CPU, once. */
void apic_use_platform(void);

uint32_t apic_id(void);
void apic_eoi(void);
void apic_send(uint32_t apic_id, uint8_t vector);
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, paddr_t page);
void apic_send_nmi(uint32_t apic_id);
/* One interrupt to every other CPU. */
void apic_send_others(uint8_t vector);

/* "xAPIC" or "x2APIC". */
const char *apic_name(void);
