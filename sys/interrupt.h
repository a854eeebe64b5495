/* SPDX-License-Identifier: MIT
 * Interrupt objects: up to 15 lines of interrupt controllers, each a signal. A line that fires is masked until it is
 * acknowledged, so it counts once however often it fires meanwhile. */
#pragma once
#include "ipc/object.h"

#define INTERRUPT_LINES 15

struct interrupt_object {
    struct object object;
    uint32_t count;                    /* [I] */
    uint32_t numbers[INTERRUPT_LINES]; /* [I] global system interrupt of line i */
};

/* Boot: one more line of the object. */
void interrupt_add(struct interrupt_object *i, uint32_t number);

/* The process stops: its lines are masked. It starts again: no signal, lines unmasked. */
void interrupt_stop(struct interrupt_object *i);
void interrupt_start(struct interrupt_object *i);

/* Lowers the signals of the mask and unmasks their lines. INVALID_ARGUMENT: a bit that is no INTERRUPT signal. */
enum status interrupt_ack(struct interrupt_object *i, uint32_t mask);

/* As if the line had fired, on whichever CPU its object lives. NOT_FOUND: no object has this number. */
enum status interrupt_trigger(uint32_t number);
