/* SPDX-License-Identifier: MIT
 * Which object a line belongs to, and what happens when it fires. */
#include "sys/interrupt.h"

#include "sched/inbox.h"

#include <arch/atomic.h>

#define SIGNALS_OF_LINES (((1u << INTERRUPT_LINES) - 1) * SIGNAL_INTERRUPT_A)

struct line {
    struct interrupt_object *object; /* [I] NULL: nobody's */
    uint32_t index;                  /* [I] */
    bool triggered;                  /* [a] a message is under way: at most one, which bounds the inbox */
};

static struct line lines[IMAGE_INTERRUPT_MAX]; /* by number */

void interrupt_add(struct interrupt_object *i, uint32_t number)
{
    lines[number] = (struct line){.object = i, .index = i->count};
    i->numbers[i->count++] = number;
}

void interrupt_stop(struct interrupt_object *i)
{
    i->object.signals = 0;
}

void interrupt_start(struct interrupt_object *i)
{
    i->object.signals = 0;
}

enum status interrupt_ack(struct interrupt_object *i, uint32_t mask)
{
    if (mask & ~SIGNALS_OF_LINES)
        return STATUS_INVALID_ARGUMENT;
    object_lower(&i->object, mask);
    return STATUS_OK;
}

/* Home CPU of the object. */
static struct thread *fire(const struct line *l)
{
    if (l->object->object.process->stopped)
        return NULL;
    return object_raise(&l->object->object, SIGNAL_INTERRUPT_A << l->index);
}

static void run_fire(const struct inbox_message *m)
{
    struct line *l = &lines[m->word[0]];
    (void)xchg_acqrel(&l->triggered, false); /* pairs: interrupt-trigger */
    struct thread *woken = fire(l);
    if (woken)
        sched_ready(woken);
}

enum status interrupt_trigger(uint32_t number)
{
    if (number >= IMAGE_INTERRUPT_MAX || !lines[number].object)
        return STATUS_NOT_FOUND;
    if (xchg_acqrel(&lines[number].triggered, true)) /* pairs: interrupt-trigger */
        return STATUS_OK;
    struct inbox_message m = {run_fire, {number}};
    inbox_send(lines[number].object->object.cpu, &m, THREAD_PRIORITIES - 1);
    return STATUS_OK;
}
