/* SPDX-License-Identifier: MIT
 * The event bus in the running kernel: order and what handlers may do; then subscribers on every CPU, which hear of
 * what each CPU publishes once and in its order. tests/unit/ipc/event_bus_test.c goes into more corners on played CPUs.
 */
#include "ipc/event_bus.h"
#include "tests/guest/kernel/kernel_test.h"

enum { SUBSCRIBERS = 5, ROUNDS = 96, WINDOW = 16 };

static struct event_subscription subscriptions[SUBSCRIBERS];
static uint32_t order[64], calls;

/* Writes its number; the second sends the third away, itself goes, and publishes once. */
static enum event_response note(struct event_subscription *s, const struct event *e)
{
    uint32_t i = (uint32_t)(s - subscriptions);
    if (calls < sizeof(order) / sizeof(order[0]))
        order[calls++] = i;
    if (e->word[0] != 1 || i != 1)
        return i % 2 ? EVENT_ERROR : EVENT_HANDLED;
    (void)event_unsubscribe(&subscriptions[2]);
    (void)event_unsubscribe(s);
    event_publish(EVENT_MEMORY_PRESSURE, 0, 2, 0, 0);
    return EVENT_IGNORED;
}

const char *test_bus(void)
{
    static const uint8_t priorities[SUBSCRIBERS] = {255, 64, 64, 0, 128};
    static const uint32_t expected[] = {3, 1, 4, 0, 3, 4, 0};
    struct event_dispatch d;
    struct event e = {.kind = EVENT_MEMORY_PRESSURE, .word = {3}};
    calls = 0;
    for (uint32_t i = 0; i < SUBSCRIBERS; i++) {
        subscriptions[i] = (struct event_subscription){
            .name = "test", .handle = note, .topics = TOPIC_MEMORY, .priority = priorities[i]};
        MUST(event_subscribe(&subscriptions[i]) == STATUS_OK);
    }
    event_publish(EVENT_MEMORY_PRESSURE, 0, 1, 0, 0);
    event_publish(EVENT_INTERRUPT, 0, 1, 0, 0); /* which none of them wants */
    MUST(calls == 0);
    look();
    MUST(calls == sizeof(expected) / sizeof(expected[0]));
    for (uint32_t i = 0; i < calls; i++)
        MUST(order[i] == expected[i]);
    d = event_publish_sync(&e);
    MUST(d.handled == 2 && d.errors == 1 && calls == 10);
    event_bus_pause(true);
    d = event_publish_sync(&e);
    event_bus_pause(false);
    MUST(d.handled == 0 && calls == 10);
    for (uint32_t i = 0; i < SUBSCRIBERS; i++)
        MUST(event_unsubscribe(&subscriptions[i]) == (i == 1 || i == 2 ? STATUS_NOT_FOUND : STATUS_OK));
    MUST(event_bus_valid());
    return NULL;
}

/* One on each CPU; counts by publisher, on its own CPU. */
static struct listener {
    struct event_subscription s;
    _Alignas(CACHE_LINE) uint64_t heard[CPU_MAX]; /* [a] the number of the last event, from 1 */
    uint64_t wrong;
} listeners[CPU_MAX];

static enum event_response listen(struct event_subscription *s, const struct event *e)
{
    struct listener *l = (struct listener *)s;
    l->wrong += e->cpu >= CPU_MAX || e->word[0] != load_relaxed(&l->heard[e->cpu]) + 1;
    store_release(&l->heard[e->cpu], e->word[0]); /* pairs: partner */
    return EVENT_HANDLED;
}

static void subscribe(void)
{
    struct listener *l = &listeners[cpu_index()];
    *l = (struct listener){.s = {.name = "test", .handle = listen, .topics = TOPIC_MEMORY}};
    (void)event_subscribe(&l->s);
}

static void unsubscribe(void)
{
    (void)event_unsubscribe(&listeners[cpu_index()].s);
}

/* No queue may overflow here: each waits until all have heard all but the last few. */
static bool wait_for_all(uint64_t heard)
{
    for (uint32_t cpu = 0; cpu < cpus(); cpu++) {
        for (uint64_t looks = 0; load_acquire(&listeners[cpu].heard[cpu_index()]) < heard;
             looks++) { /* pairs: partner */
            if (looks > 1000000000)
                return false;
            look();
        }
    }
    return true;
}

static uint64_t stuck[CPU_MAX];

static void publish(void)
{
    stuck[cpu_index()] = 1;
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        event_publish(EVENT_MEMORY_PRESSURE, 0, i, 0, 0);
        if (i % WINDOW == 0 && !wait_for_all(i))
            return;
    }
    stuck[cpu_index()] = !wait_for_all(ROUNDS);
}

const char *test_bus_between_cpus(void)
{
    subscribe();
    for (uint32_t cpu = 1; cpu < cpus(); cpu++)
        MUST(partner_call(cpu, subscribe) == STATUS_OK);
    for (uint32_t cpu = 1; cpu < cpus(); cpu++)
        MUST(partner_begin(cpu, publish) == STATUS_OK);
    publish();
    for (uint32_t cpu = 1; cpu < cpus(); cpu++) /* they need this CPU's bus until they are through */
        for (uint64_t before = 0; stuck[cpu] && before < 1000000000; before++)
            look();
    for (uint32_t cpu = 1; cpu < cpus(); cpu++)
        MUST(partner_end(cpu) == STATUS_OK && partner_call(cpu, unsubscribe) == STATUS_OK);
    unsubscribe();
    for (uint32_t cpu = 0; cpu < cpus(); cpu++) {
        MUST(!stuck[cpu] && !listeners[cpu].wrong);
        for (uint32_t from = 0; from < cpus(); from++)
            MUST(listeners[cpu].heard[from] == ROUNDS);
    }
    return NULL;
}
