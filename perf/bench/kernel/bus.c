/* SPDX-License-Identifier: MIT
 * What does an event cost its publisher, with 0 to 64 subscribers on its CPU. The first publication, which has to send
 * the message that gets the bus going, is made before the samples; those that follow find it under way. They are
 * delivered when the call is over, to subscribers who have gone by then. */
#include "ipc/event_bus.h"
#include "perf/bench/kernel/measure.h"

enum { SUBSCRIBERS = 64 };

static struct event_subscription subscriptions[SUBSCRIBERS];

static enum event_response ignore(struct event_subscription *s, const struct event *e)
{
    (void)s, (void)e;
    return EVENT_IGNORED;
}

static void publish(void *argument)
{
    event_publish(EVENT_MEMORY_PRESSURE, 0, (uint64_t)argument, 0, 0);
}

static enum status measure(uint64_t *ticks, size_t count, uint32_t subscribers)
{
    enum status s = STATUS_OK;
    for (uint32_t i = 0; s == STATUS_OK && i < subscribers; i++) {
        subscriptions[i] = (struct event_subscription){.name = "bench", .handle = ignore, .topics = TOPIC_MEMORY};
        s = event_subscribe(&subscriptions[i]);
    }
    publish(NULL);
    if (s == STATUS_OK)
        measure_loop(ticks, count, publish, NULL);
    for (uint32_t i = 0; i < subscribers; i++)
        (void)event_unsubscribe(&subscriptions[i]);
    return s;
}

enum status measure_bus_0(uint64_t *ticks, size_t count)
{
    return measure(ticks, count, 0);
}

enum status measure_bus_1(uint64_t *ticks, size_t count)
{
    return measure(ticks, count, 1);
}

enum status measure_bus_8(uint64_t *ticks, size_t count)
{
    return measure(ticks, count, 8);
}

enum status measure_bus_64(uint64_t *ticks, size_t count)
{
    return measure(ticks, count, SUBSCRIBERS);
}
