/* SPDX-License-Identifier: MIT
 * What a hypervisor may do instead of the hardware: the one-shot timer, waking another CPU, starting one, the end. The
 * operations are the local APIC's (apic_init) unless others take their place, at boot, on the boot CPU, before there
 * are other CPUs. Each acts for the running CPU, interrupts off. */
#pragma once
#include <arch/memory.h>
#include <stdbool.h>
#include <stdint.h>

struct platform {
    /* Timer interrupt (timer_interrupt is called) at or after clock time `ns`; replaces the one armed before. An early
     * one is harmless. */
    void (*timer_arm)(uint64_t ns);
    /* The other CPU, or this one, takes an interrupt that ends its halt and makes it look at its inbox. */
    void (*wake)(uint32_t cpu);
    /* Starts the CPU, whose stack and area exist and which goes to ap_main; false if this way is closed, and INIT and
     * start-up IPIs are tried. NULL: those. */
    bool (*start)(uint32_t cpu, uint32_t apic_id);
    /* Takes back a start whose CPU has not come in time. NULL: INIT does. */
    void (*stop)(uint32_t apic_id);
    /* On another CPU that has reached C and has its own area; false: it cannot work. NULL: nothing. */
    bool (*activate)(uint32_t cpu);
    /* The interrupt that this CPU serves is over; false: the local APIC has to be told. NULL: it always has. */
    bool (*eoi)(void);
    /* One interrupt to every other CPU; false: not to all, the local APIC does it (again). NULL: it always does. */
    bool (*send_others)(uint8_t vector);
    /* Ends the machine in order, or as crashed; returns if it cannot. NULL: nothing. */
    void (*off)(bool orderly);
    const char *timer_name; /* "LAPIC one-shot" and the like */
    const char *wake_name;  /* "LAPIC" and the like */
};

extern struct platform platform; /* [I] after boot */
