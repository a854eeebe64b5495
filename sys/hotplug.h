/* SPDX-License-Identifier: MIT
 * CPUs off line and on line. Processes have a home, so a CPU where one runs, or is on its way to, stays; one without
 * any can be taken off line: it halts as soon as it has nothing to do, whatever `idle=` says, and no process starts
 * there. It still answers the messages of other CPUs, which need to know of nothing. EVENT_CPU_HOTPLUG is published
 * there. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sys/abi/status.h"

/* Asks `cpu`, which answers by calling `done` on this CPU, once, later. OK: it is so; ALREADY_EXISTS: it was so;
 * FAILED_PRECONDITION: a process runs there. At once and without `done`: OUT_OF_RANGE there is no such CPU;
 * PERMISSION_DENIED CPU 0, which has the consoles; UNAVAILABLE another request is under way. Boot CPU. */
enum status hotplug_request(uint32_t cpu, bool online, void (*done)(void *context, enum status outcome), void *context);

/* A process is about to start on this CPU, which comes on line if a request came in between. */
void hotplug_process_starts(void);

/* Any CPU, roughly now. */
bool hotplug_is_online(uint32_t cpu);

/* What there is to take off line. Boot. */
struct process;
void hotplug_begin(const struct process *processes, uint32_t count, uint32_t cpus);
