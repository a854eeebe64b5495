/* SPDX-License-Identifier: MIT
 * How long is an event under way to a subscriber on another CPU: from event_publish_sync here until this CPU sees what
 * the handler there wrote. The other CPU idles or runs a process; if it would not look by itself it is interrupted. */
#include "ipc/event_bus.h"
#include "perf/bench/kernel/measure.h"
#include "perf/bench/kernel/partner.h"

static uint64_t seen; /* [a] number of the last event that arrived */
static uint64_t sent, failed;

static enum event_response note(struct event_subscription *s, const struct event *e)
{
    (void)s;
    store_release(&seen, e->word[0]); /* pairs: partner */
    return EVENT_HANDLED;
}

static struct event_subscription subscription = {.name = "bench", .handle = note, .topics = TOPIC_MEMORY};

static void subscribe(void)
{
    (void)event_subscribe(&subscription);
}

static void unsubscribe(void)
{
    (void)event_unsubscribe(&subscription);
}

static void deliver(void *argument)
{
    struct event e = {.kind = EVENT_MEMORY_PRESSURE, .word = {++sent, (uint64_t)argument}};
    (void)event_publish_sync(&e);
    failed |= !partner_wait(&seen, sent);
}

enum status measure_bus_cross(uint64_t *ticks, size_t count)
{
    enum status s = partner_call(1, subscribe);
    if (s != STATUS_OK)
        return s;
    failed = 0;
    measure_loop(ticks, count, deliver, NULL);
    s = partner_call(1, unsubscribe);
    return s == STATUS_OK && failed ? STATUS_DEADLINE_EXCEEDED : s;
}
