/* SPDX-License-Identifier: MIT
 * A machine of two CPUs with their local APICs, an IO-APIC, inboxes, and devices with a driver each; every step of it
 * is one call. It holds what the hardware would not forgive: an IO-APIC touched by another CPU than the first, an EOI
 * that ends another interrupt than the one meant, an inbox with more messages than the loader reckons with. */
#pragma once
#include "sys/interrupt.h"
#include "sys/line.h"

#define CPUS 2
#define LINES 8

/* A line and what hangs on it. The device wants something while `work` is not 0; then its line is up. */
struct device {
    uint32_t number;
    bool is_level;
    uint32_t cpu, work;
    uint32_t index;                             /* of its object */
    bool masked, remote_irr;                    /* in the IO-APIC */
    uint8_t vector;                             /* 0: not routed */
    uint32_t interrupts;                        /* since its driver last acknowledged, or stopped */
    uint32_t signals;                           /* how often its driver saw its signal */
    enum { IDLE, SERVE_NEXT, ACK_NEXT } driver; /* what it does next */
};

extern struct device devices[LINES];
extern struct interrupt_object objects[CPUS];
extern struct process processes[CPUS];

/* All lines 4, 5, 6, 7 (edge) and 16 to 19 (level), two of each kind on each CPU, with one object on each CPU. */
void world_begin(void);

/* If it is set there are no devices, but every line: level-triggered from 200 on. Gets the vectors. */
extern uint8_t *world_routes;

/* The device wants one thing more. */
void device_want(struct device *d);

/* The next interrupt of a CPU, or its oldest message: false if there is none (or the APIC holds it back). */
bool cpu_interrupt(uint32_t cpu);
bool cpu_message(uint32_t cpu);
size_t cpu_messages(uint32_t cpu);

/* A device's message to a CPU. */
void cpu_request(uint32_t cpu, uint8_t vector);

/* The driver's signal is up; it does what its device wants; it acknowledges. On its CPU. */
bool driver_signalled(const struct device *d);
void driver_serve(struct device *d);
void driver_acknowledge(struct device *d);

/* It stops, or tries to start again, which may take several calls. */
void process_toggle(uint32_t cpu);

void trigger(const struct device *d, uint32_t from_cpu);

/* In service on this CPU. */
bool cpu_serves(uint32_t cpu, uint8_t vector);
