/* SPDX-License-Identifier: MIT
 * Interrupt objects: up to 15 interrupts, each a signal. One that fires raises its signal; until that is acknowledged
 * further ones only are remembered, all of them as one: it then fires once more, when it is acknowledged. So a driver
 * may look at its device before it acknowledges, or after it: no interrupt is lost between. What an interrupt is
 * depends on its line (sys/line.h): an edge, or as long as a level-triggered line is there, that it is still there
 * after the acknowledgement. Home CPU of the object, unless it says otherwise. */
#pragma once
#include "ipc/object.h"

#define INTERRUPT_LINES IMAGE_INTERRUPTS_PER_OBJECT

struct interrupt_object {
    struct object object;
    uint32_t count;                    /* [I] */
    uint32_t numbers[INTERRUPT_LINES]; /* [I] global system interrupt of line i */
};

/* Boot: one more interrupt of the object; it may fire from now on. Errors: of line_route. */
enum status interrupt_add(struct interrupt_object *i, uint32_t number);

/* The process stops: its lines are masked, and nothing is remembered. It is about to start again: false if its lines
 * are not ready yet, ask again. It starts: no signal, lines unmasked. What fires meanwhile is dropped. */
void interrupt_stop(struct interrupt_object *i);
bool interrupt_prepare(struct interrupt_object *i);
void interrupt_start(struct interrupt_object *i);

/* Lowers the signals of the mask and lets their interrupts fire again. Threads may be ready then. INVALID_ARGUMENT: a
 * bit that is no INTERRUPT signal. */
enum status interrupt_ack(struct interrupt_object *i, uint32_t mask);

/* What a device writes to fire it: address, data << 32. NOT_FOUND: the object does not have it, or it has a line;
 * UNIMPLEMENTED: no message reaches its CPU. */
enum status interrupt_message(const struct interrupt_object *i, uint32_t number, uint64_t *message);

/* It fires: false if its line had better be masked, because that could only be remembered, or the process is gone. From
 * sys/line.c. */
bool interrupt_fire(uint32_t number);

/* Its line is unmasked now: what was remembered is told. From sys/line.c. */
void interrupt_reopen(uint32_t number);

/* As if it had fired, on whichever CPU its object lives; any CPU. NOT_FOUND: no object has this number. */
enum status interrupt_trigger(uint32_t number);
