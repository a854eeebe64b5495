/* SPDX-License-Identifier: MIT
 * Which object an interrupt belongs to, and what happens when it fires. */
#include "sys/interrupt.h"

#include "ipc/event_bus.h"
#include "sched/inbox.h"
#include "sys/line.h"

#include <arch/atomic.h>

#define SIGNALS_OF_LINES (((1u << INTERRUPT_LINES) - 1) * SIGNAL_INTERRUPT_A)

struct source {
    struct interrupt_object *object; /* [I] NULL: nobody's */
    uint32_t index;                  /* [I] */
    bool open;                       /* [o] the next one raises the signal */
    bool again;                      /* [o] one came while it was not open */
    bool triggered;                  /* [a] a message is under way: at most one, which bounds the inbox */
};

static struct source sources[IMAGE_INTERRUPT_MAX]; /* by number */

enum status interrupt_add(struct interrupt_object *i, uint32_t number)
{
    enum status s = line_route(number, i->object.cpu);
    if (s != STATUS_OK)
        return s;
    sources[number] = (struct source){.object = i, .index = i->count, .open = true};
    i->numbers[i->count++] = number;
    (void)line_unmask(number);
    return STATUS_OK;
}

void interrupt_stop(struct interrupt_object *i)
{
    i->object.signals = 0;
    for (uint32_t n = 0; n < i->count; n++) {
        sources[i->numbers[n]].open = sources[i->numbers[n]].again = false;
        line_mask(i->numbers[n]);
    }
}

bool interrupt_prepare(struct interrupt_object *i)
{
    bool is_ready = true;
    for (uint32_t n = 0; n < i->count; n++)
        is_ready &= line_prepare(i->numbers[n]);
    return is_ready;
}

void interrupt_start(struct interrupt_object *i)
{
    for (uint32_t n = 0; n < i->count; n++) {
        sources[i->numbers[n]].open = true;
        (void)line_unmask(i->numbers[n]);
    }
}

bool interrupt_fire(uint32_t number)
{
    struct source *s = &sources[number];
    const struct process *p = s->object->object.process;
    if (p->stopped)
        return p->loading;
    if (!s->open) {
        s->again = true;
        return false;
    }
    s->open = false;
    event_publish(EVENT_INTERRUPT, number, 0, 0, 0);
    object_raise_ready(&s->object->object, SIGNAL_INTERRUPT_A << s->index);
    return true;
}

void interrupt_reopen(uint32_t number)
{
    struct source *s = &sources[number];
    if (!s->open || !s->again)
        return;
    s->again = false;
    (void)interrupt_fire(number);
}

enum status interrupt_ack(struct interrupt_object *i, uint32_t mask)
{
    if (mask & ~SIGNALS_OF_LINES)
        return STATUS_INVALID_ARGUMENT;
    object_lower(&i->object, mask);
    for (uint32_t n = 0; n < i->count; n++) {
        if (!(mask & SIGNAL_INTERRUPT_A << n))
            continue;
        sources[i->numbers[n]].open = true;
        if (line_unmask(i->numbers[n]))
            interrupt_reopen(i->numbers[n]);
    }
    return STATUS_OK;
}

enum status interrupt_message(const struct interrupt_object *i, uint32_t number, uint64_t *message)
{
    return sources[number].object == i ? line_message(number, message) : STATUS_NOT_FOUND;
}

static void run_trigger(const struct inbox_message *m)
{
    struct source *s = &sources[m->word[0]];
    (void)xchg_acqrel(&s->triggered, false); /* pairs: interrupt-trigger */
    (void)interrupt_fire((uint32_t)m->word[0]);
}

enum status interrupt_trigger(uint32_t number)
{
    if (number >= IMAGE_INTERRUPT_MAX || !sources[number].object)
        return STATUS_NOT_FOUND;
    if (xchg_acqrel(&sources[number].triggered, true)) /* pairs: interrupt-trigger */
        return STATUS_OK;
    struct inbox_message m = {run_trigger, {number}};
    inbox_send(sources[number].object->object.cpu, &m, THREAD_PRIORITIES - 1);
    return STATUS_OK;
}
