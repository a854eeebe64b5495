/* SPDX-License-Identifier: MIT
 * Event channels with the two-level interface: 4096 ports as bits in the page that Xen shares with the guest. Each port
 * belongs to one CPU, which alone takes it. Ports stay bound for ever. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sys/abi/status.h"

/* What a CPU is told by an upcall: which kinds of ports were pending. */
enum xen_event {
    XEN_EVENT_TIMER = 1,  /* its deadline has come */
    XEN_EVENT_WAKE = 2,   /* look at the inbox */
    XEN_EVENT_DEVICE = 4, /* console or store: CPU 0 */
};
#define XEN_EVENT_KINDS 3

/* Ports with higher numbers are refused: 64 CPUs need two each, the devices a few. */
#define XEN_PORTS_MAX 512u

/* Maps the shared page. Boot CPU, after paging_init. False: Xen refuses. */
bool xen_event_init(void);

/* Takes this CPU's upcalls: its own vector by the local APIC where Xen has that, else the domain's. False: Xen refuses.
 */
bool xen_event_activate(void);

/* Binds a virtual interrupt (VIRQ_*), or a port that others wake it by, to this CPU. NOT_FOUND: Xen refuses;
 * RESOURCE_EXHAUSTED: too high a number. */
enum status xen_event_bind_virq(uint32_t virq, enum xen_event kind, uint32_t *port);
enum status xen_event_bind_ipi(uint32_t *port);

/* A port that exists already (console, store) and is bound to the boot CPU by Xen. Boot CPU. */
enum status xen_event_adopt(uint32_t port);

/* The other end is told, or the CPU that the port belongs to. Any CPU. */
void xen_event_send(uint32_t port);

/* From the upcall's interrupt: takes this CPU's pending ports; XEN_EVENT_* of what they stand for, 0 if an earlier look
 * took them. */
uint32_t xen_event_take(void);

/* Whether upcalls come by the local APIC, which then waits for an EOI. */
bool xen_event_needs_eoi(void);
