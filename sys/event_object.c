/* SPDX-License-Identifier: MIT
 * From the bus into the ring, from the ring to the process. */
#include "sys/event_object.h"

#include "ipc/name.h"
#include "sys/lib/panic.h"
#include "sys/lib/string.h"

_Static_assert(EVENT_NAMES_MAX <= UINT8_MAX, "a number is a byte");

/* The value of a custom event as its process knows it. */
static uint32_t told_value(const struct event_object *o, const struct event *e)
{
    for (uint32_t i = 0; e->kind == EVENT_CUSTOM && i < o->names; i++)
        if (o->numbers[i] == EVENT_CUSTOM_NAME(e->value))
            return EVENT_CUSTOM_VALUE(i, EVENT_CUSTOM_BYTES(e->value));
    return e->value;
}

static enum event_response hear(struct event_subscription *s, const struct event *e)
{
    struct event_object *o = s->context;
    if (o->count == o->depth) {
        o->lost += o->lost != UINT32_MAX;
        return EVENT_ERROR;
    }
    uint32_t at = o->first + o->count++;
    struct event *to = &o->ring[at < o->depth ? at : at - o->depth];
    *to = *e;
    to->value = told_value(o, e);
    if (o->count == 1)
        object_raise_ready(&o->object, SIGNAL_READABLE);
    return EVENT_HANDLED;
}

enum status event_object_load(struct event_object *o, const struct image_subscription *from, struct event *ring)
{
    o->ring = ring;
    o->depth = from->depth;
    o->subscription = (struct event_subscription){.name = o->object.process->name,
                                                  .handle = hear,
                                                  .context = o,
                                                  .topics = from->topics,
                                                  .priority = (uint8_t)from->priority};
    for (; o->names < from->names; o->names++) {
        uint32_t number;
        enum status s = name_intern(from->name[o->names], strlen(from->name[o->names]), &number);
        if (s != STATUS_OK)
            return s;
        o->numbers[o->names] = (uint8_t)number;
        o->subscription.names |= UINT64_C(1) << number;
    }
    return event_subscribe_at_boot(o->object.cpu, &o->subscription);
}

void event_object_stop(struct event_object *o)
{
    enum status s = event_unsubscribe(&o->subscription);
    panic_if(s != STATUS_OK);
    o->object.signals = 0;
    o->first = o->count = o->lost = 0;
}

void event_object_start(struct event_object *o)
{
    enum status s = event_subscribe(&o->subscription);
    panic_if(s != STATUS_OK);
}

/* `n` events from the ring's oldest one on, which lie in one piece. */
static void move(struct event_object *o, char *to, uint32_t n)
{
    memcpy(to, &o->ring[o->first], n * sizeof(struct event));
    o->first = o->first + n < o->depth ? o->first + n : 0;
    o->count -= n;
}

struct result event_object_read(struct event_object *o, char *buffer, uint64_t n)
{
    uint64_t fit = n / sizeof(struct event);
    if (!fit)
        return result_of(STATUS_OUT_OF_RANGE);
    if (!o->count)
        return result_of(STATUS_UNAVAILABLE);
    uint32_t all = fit < o->count ? (uint32_t)fit : o->count, up_to_end = o->depth - o->first;
    uint32_t front = all < up_to_end ? all : up_to_end;
    uint64_t lost = o->lost;
    move(o, buffer, front);
    if (all > front)
        move(o, buffer + front * sizeof(struct event), all - front);
    o->lost = 0;
    if (!o->count)
        object_lower(&o->object, SIGNAL_READABLE);
    return result_ok(all | lost << 32);
}
