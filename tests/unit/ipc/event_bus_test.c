/* SPDX-License-Identifier: MIT
 * The event bus on one CPU and on four, which look at their inboxes when the test says so: order, topics, what handlers
 * may do, pauses, deferral, overload, and what reaches whom. */
#include "ipc/event_bus.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <string.h>
#include "ipc/channel.h"
#include "ipc/name.h"
#include "sched/inbox.h"
#include "sched/timer.h"
#include "tests/unit/cpus/cpus.h"
#include "tests/unit/ipc/event_bus_world.h"

#include <arch/percpu.h>

static void publish(enum event_kind kind)
{
    event_publish(kind, 5, 1, 2, 3);
    cpus_settle();
}

Test(event_bus, by_priority_and_in_the_order_of_subscription_whatever_they_say)
{
    create(1);
    subscribed('a', TOPIC_ALL, EVENT_PRIORITY_LOWEST)->says = EVENT_ERROR;
    subscribed('b', TOPIC_ALL, EVENT_PRIORITY_HIGH)->says = EVENT_HANDLED;
    subscribed('c', TOPIC_ALL, EVENT_PRIORITY_NORMAL)->says = EVENT_IGNORED;
    subscribed('d', TOPIC_ALL, EVENT_PRIORITY_HIGH)->says = EVENT_ERROR;
    subscribed('e', TOPIC_ALL, EVENT_PRIORITY_HIGHEST)->says = EVENT_HANDLED;
    publish(EVENT_SHUTDOWN);
    trace_is("ebdca");
    struct event_counts counts;
    event_bus_counts(0, &counts);
    cr_assert(eq(u64, counts.published[EVENT_SHUTDOWN], 1));
    cr_assert(eq(u64, counts.handled, 2));
    cr_assert(eq(u64, counts.ignored, 1));
    cr_assert(eq(u64, counts.errors, 2));
    cr_assert(eq(u32, event_bus_subscriptions(0), 5));
}

Test(event_bus, every_kind_against_every_topic)
{
    static const struct {
        uint32_t topic;
        const char *kinds; /* of those that match, as digits */
    } topics[] = {
        {TOPIC_TIMER, "01"},
        {TOPIC_PROCESS, "567"},
        {TOPIC_MEMORY, "3"},
        {TOPIC_INTERRUPT, "8"},
        {TOPIC_SYSTEM, "24"},
        {TOPIC_TICK, "0"},
        {TOPIC_SHUTDOWN, "2"},
        {TOPIC_CPU_HOTPLUG, "4"},
        {TOPIC_CUSTOM, ""},
        {TOPIC_ALL, "0123456789"},
        {TOPIC_MEMORY_PRESSURE, "3"},
        {TOPIC_TIMER | TOPIC_TICK, "01"},
        {TOPIC_PROCESS | TOPIC_SYSTEM, "24567"},
    };
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        create(1);
        struct listener *l = subscribed('a', topics[i].topic, EVENT_PRIORITY_NORMAL);
        for (uint32_t kind = 0; kind < EVENT_KINDS; kind++) {
            bool matches = strchr(topics[i].kinds, (int)('0' + kind));
            publish(kind);
            trace_is(matches ? "a" : "");
            if (!matches)
                continue;
            cr_assert(eq(u32, l->last.kind, kind));
            cr_assert(eq(u32, l->last.value, 5));
            cr_assert(eq(u64, l->last.word[0], 1));
            cr_assert(eq(u64, l->last.word[2], 3));
        }
    }
}

Test(event_bus, custom_events_by_exact_name)
{
    uint32_t mine, longer;
    create(1);
    cr_assert(eq(int, name_intern("my.event", 8, &mine), STATUS_OK));
    cr_assert(eq(int, name_intern("my.event.2", 10, &longer), STATUS_OK));
    cr_assert(ne(u32, mine, longer));
    struct listener *l = listener('a', TOPIC_CUSTOM, EVENT_PRIORITY_NORMAL);
    l->s.names = UINT64_C(1) << mine;
    cr_assert(eq(int, event_subscribe(&l->s), STATUS_OK));
    cr_assert(eq(int, event_publish_custom("my.event", "\1\2\3", 3), STATUS_OK));
    cr_assert(eq(int, event_publish_custom("my.event.2", NULL, 0), STATUS_OK));
    cr_assert(eq(int, event_publish_custom("my.even", NULL, 0), STATUS_OK));
    cpus_settle();
    trace_is("a");
    cr_assert(eq(u32, EVENT_CUSTOM_BYTES(l->last.value), 3));
    cr_assert(eq(str, (char *)(uintptr_t)name_text(EVENT_CUSTOM_NAME(l->last.value)), "my.event"));
    cr_assert(eq(u64, l->last.word[0], 0x030201));
    cr_assert(eq(int, event_publish_custom("", NULL, 0), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, event_publish_custom("a b", NULL, 0), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, event_publish_custom("x", trace, EVENT_DATA_BYTES + 1), STATUS_INVALID_ARGUMENT));
}

Test(event_bus, what_is_refused)
{
    create(1);
    struct listener *a = subscribed('a', TOPIC_ALL, EVENT_PRIORITY_NORMAL);
    cr_assert(eq(int, event_subscribe(&a->s), STATUS_ALREADY_EXISTS));
    cr_assert(eq(int, event_subscribe(&listener('b', 0, 0)->s), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, event_subscribe(&listener('b', TOPIC_ALL + 1, 0)->s), STATUS_INVALID_ARGUMENT));
    listener('b', TOPIC_ALL, 0)->s.handle = NULL;
    cr_assert(eq(int, event_subscribe(&listeners[1].s), STATUS_INVALID_ARGUMENT));
    uint64_t id = a->s.id;
    cr_assert(eq(int, event_unsubscribe(&a->s), STATUS_OK));
    cr_assert(eq(int, event_unsubscribe(&a->s), STATUS_NOT_FOUND));
    cr_assert(eq(int, event_subscribe(&a->s), STATUS_OK));
    cr_assert(lt(u64, id, a->s.id));
}

/* What handlers do in the next tests. */
static void leave(struct listener *l, const struct event *e)
{
    (void)e;
    cr_assert(eq(int, event_unsubscribe(&l->s), STATUS_OK));
}

static void send_away_c(struct listener *l, const struct event *e)
{
    (void)l, (void)e;
    (void)event_unsubscribe(&listeners['c' - 'a'].s);
}

static void bring_h(struct listener *l, const struct event *e)
{
    (void)l, (void)e;
    if (!listeners['h' - 'a'].s.subscribed)
        subscribed('h', TOPIC_ALL, EVENT_PRIORITY_LOWEST);
}

static void pause_c(struct listener *l, const struct event *e)
{
    (void)l, (void)e;
    listeners['c' - 'a'].s.paused = true;
}

static void publish_once(struct listener *l, const struct event *e)
{
    l->acts = NULL;
    event_publish(EVENT_CPU_HOTPLUG, 0, e->kind, 0, 0);
}

static void publish_sync_once(struct listener *l, const struct event *e)
{
    struct event inner = {.kind = EVENT_CPU_HOTPLUG};
    (void)e;
    l->acts = NULL;
    struct event_dispatch d = event_publish_sync(&inner);
    cr_assert(eq(u32, d.handled, 3));
}

static void three(void)
{
    create(1);
    for (char c = 'a'; c <= 'c'; c++)
        subscribed(c, TOPIC_ALL, EVENT_PRIORITY_NORMAL);
}

Test(event_bus, handlers_come_and_go_while_one_is_delivered)
{
    three();
    listeners[1].acts = leave;
    publish(EVENT_SHUTDOWN);
    trace_is("abc");
    publish(EVENT_SHUTDOWN);
    trace_is("ac");

    three();
    listeners[0].acts = send_away_c; /* whom the walk has not reached */
    publish(EVENT_SHUTDOWN);
    trace_is("ab");
    three();
    listeners[1].acts = send_away_c; /* who is the very next */
    publish(EVENT_SHUTDOWN);
    trace_is("ab");
    three();
    listeners[2].acts = send_away_c; /* itself */
    publish(EVENT_SHUTDOWN);
    trace_is("abc");
    publish(EVENT_SHUTDOWN);
    trace_is("ab");

    three();
    listeners[1].acts = pause_c;
    publish(EVENT_SHUTDOWN);
    trace_is("ab");
    listeners[2].s.paused = false;
    listeners[1].acts = NULL;
    publish(EVENT_SHUTDOWN);
    trace_is("abc");

    three();
    listeners[0].acts = bring_h; /* behind the walk, and yet it sees the next one first */
    publish(EVENT_SHUTDOWN);
    trace_is("abc");
    publish(EVENT_SHUTDOWN);
    trace_is("abch");
}

Test(event_bus, publishing_inside_a_handler)
{
    three();
    listeners[0].acts = publish_once;
    publish(EVENT_SHUTDOWN);
    trace_is("abcabc"); /* after the one under way */
    cr_assert(eq(u64, listeners[2].last.word[0], EVENT_SHUTDOWN));
    three();
    listeners[1].acts = publish_sync_once;
    publish(EVENT_SHUTDOWN);
    trace_is("ababcc"); /* in the middle of it */
}

static void publish_sync_always(struct listener *l, const struct event *e)
{
    struct event inner = {.kind = EVENT_CPU_HOTPLUG};
    (void)l, (void)e;
    if (strlen(trace) < 20)
        (void)event_publish_sync(&inner);
}

Test(event_bus, nesting_is_bounded)
{
    create(1);
    subscribed('a', TOPIC_SYSTEM, 0)->acts = publish_sync_always;
    struct event e = {.kind = EVENT_SHUTDOWN};
    struct event_dispatch d = event_publish_sync(&e);
    cr_assert(eq(u32, d.handled, 1));
    cr_assert(eq(sz, strlen(trace), (size_t)EVENT_NESTING_MAX));
    cpus_settle();
    cr_assert(ge(sz, strlen(trace), 20));
    cr_assert(event_bus_valid());
}

/* The walk that an inner walk has outlived someone in. */
static void inner_sends_b_away(struct listener *l, const struct event *e)
{
    struct event inner = {.kind = EVENT_CPU_HOTPLUG};
    if (e->kind == EVENT_SHUTDOWN)
        (void)event_publish_sync(&inner);
    else
        (void)event_unsubscribe(&listeners[1].s);
    (void)l;
}

Test(event_bus, unsubscribing_in_an_inner_walk_reaches_the_outer)
{
    three();
    listeners[0].acts = inner_sends_b_away;
    publish(EVENT_SHUTDOWN);
    trace_is("aacc");
}

Test(event_bus, deferred_comes_again_to_that_handler_alone)
{
    create(1);
    struct listener *a = subscribed('a', TOPIC_SYSTEM, 0);
    subscribed('b', TOPIC_SYSTEM, 0);
    a->says = EVENT_DEFERRED;
    event_publish(EVENT_SHUTDOWN, 0, 1, 0, 0);
    event_publish(EVENT_SHUTDOWN, 0, 2, 0, 0);
    cpu_look(1);
    trace_is("ababaa"); /* both, and both again */
    cr_assert(eq(u64, a->last.word[0], 2));
    a->says = EVENT_HANDLED;
    cpus_settle();
    trace_is("aa");
    cr_assert(eq(u64, a->s.missed, 0));
    a->says = EVENT_DEFERRED;
    publish(EVENT_SHUTDOWN);
    cr_assert(eq(u64, a->s.missed, 1));
    cr_assert(eq(sz, strlen(trace), (size_t)2 + EVENT_DEFERRED_MAX));
}

Test(event_bus, what_was_deferred_goes_with_its_subscription)
{
    create(1);
    struct listener *a = subscribed('a', TOPIC_SYSTEM, 0);
    a->says = EVENT_DEFERRED;
    event_publish(EVENT_SHUTDOWN, 0, 1, 0, 0);
    cpu_look(1);
    trace_is("aa");
    cr_assert(eq(int, event_unsubscribe(&a->s), STATUS_OK));
    cr_assert(eq(int, event_subscribe(&a->s), STATUS_OK)); /* another one, by its id */
    cpus_settle();
    trace_is("");
}

Test(event_bus, too_much_put_off)
{
    create(1);
    struct listener *a = subscribed('a', TOPIC_SYSTEM, 0);
    a->says = EVENT_DEFERRED;
    for (uint32_t i = 0; i < EVENT_DEFERRALS + 3; i++)
        event_publish(EVENT_SHUTDOWN, 0, i, 0, 0);
    cpu_look(2);
    cr_assert(eq(u64, a->s.missed, 3));
    a->says = EVENT_HANDLED;
    cpus_settle();
    cr_assert(eq(u64, a->s.missed, 3));
}

Test(event_bus, a_paused_bus_counts_and_loses)
{
    struct event e = {.kind = EVENT_SHUTDOWN};
    struct event_counts counts;
    create(1);
    subscribed('a', TOPIC_SYSTEM, 0);
    event_bus_pause(true);
    publish(EVENT_SHUTDOWN);
    struct event_dispatch d = event_publish_sync(&e);
    cr_assert(eq(u32, d.handled + d.ignored + d.deferred + d.errors, 0));
    event_bus_pause(false);
    trace_is("");
    event_bus_counts(0, &counts);
    cr_assert(eq(u64, counts.published[EVENT_SHUTDOWN], 2));
    cr_assert(eq(u64, counts.delivered, 0));
    publish(EVENT_SHUTDOWN);
    trace_is("a");
}

Test(event_bus, a_pause_does_not_concern_who_is_always_told)
{
    struct event e = {.kind = EVENT_SHUTDOWN};
    create(1);
    subscribed('a', TOPIC_SYSTEM, 0);
    struct listener *b = subscribed('b', TOPIC_SYSTEM, 1), *c = subscribed('c', TOPIC_SYSTEM, 2);
    b->s.always = true;
    event_bus_pause(true);
    publish(EVENT_SHUTDOWN);
    trace_is("b");
    cr_assert(eq(u32, event_publish_sync(&e).handled, 1));
    b->says = c->says = EVENT_DEFERRED;
    publish(EVENT_SHUTDOWN);
    cr_assert(eq(u64, c->s.calls, 0));
    cr_assert(b->s.calls > 3, "what it has put off comes again");
    event_bus_pause(false);
    cr_assert(event_bus_valid());
}

Test(event_bus, a_full_ring_keeps_the_oldest_and_counts_the_rest)
{
    struct event_counts counts;
    create(1);
    struct listener *a = subscribed('a', TOPIC_SYSTEM, 0);
    for (uint32_t i = 0; i < EVENT_RING + 5; i++)
        event_publish(EVENT_SHUTDOWN, 0, i, 0, 0);
    cpus_settle();
    cr_assert(eq(u64, a->s.calls, EVENT_RING));
    cr_assert(eq(u64, a->last.word[0], EVENT_RING - 1));
    event_bus_counts(0, &counts);
    cr_assert(eq(u64, counts.dropped[EVENT_SHUTDOWN], 5));
    cr_assert(eq(u64, counts.published[EVENT_SHUTDOWN], EVENT_RING + 5));
}

Test(event_bus, delivery_goes_in_bounded_steps)
{
    create(1);
    struct listener *a = subscribed('a', TOPIC_SYSTEM, 0);
    for (uint32_t i = 0; i < EVENT_STEP + 1; i++)
        event_publish(EVENT_SHUTDOWN, 0, i, 0, 0);
    cpu_look(1);
    cr_assert(eq(u64, a->s.calls, EVENT_STEP));
    cpu_look(1);
    cr_assert(eq(u64, a->s.calls, EVENT_STEP + 1));
}

Test(event_bus, reaches_other_cpus_once_and_only_those_that_want_it)
{
    struct event_counts counts;
    create(CPUS);
    cpu_become(2);
    struct listener *c = subscribed('c', TOPIC_SYSTEM, 0);
    cpu_become(3);
    subscribed('d', TOPIC_MEMORY, 0);
    cpu_become(1);
    event_publish(EVENT_SHUTDOWN, 9, 1, 2, 3);
    event_publish(EVENT_SHUTDOWN, 9, 1, 2, 3);
    cpu_look(1);
    trace_is(""); /* its own CPU wants nothing */
    cpu_become(2);
    cr_assert(eq(sz, channel_len(&this_cpu_ptr(inbox)->channel), 1)); /* one message for both */
    cpus_settle();
    trace_is("cc");
    cr_assert(eq(u32, c->last.cpu, 1));
    cr_assert(eq(u32, c->last.value, 9));
    event_bus_counts(3, &counts);
    cr_assert(eq(u64, counts.delivered, 0));
    cpu_become(2);
    cr_assert(eq(int, event_unsubscribe(&c->s), STATUS_OK));
    cpu_become(1);
    publish(EVENT_SHUTDOWN);
    trace_is("");
}

Test(event_bus, a_slow_cpu_loses_what_its_channel_cannot_hold)
{
    struct event_counts counts;
    create(2);
    cpu_become(1);
    struct listener *b = subscribed('b', TOPIC_SYSTEM, 0);
    cpu_become(0);
    for (uint32_t i = 0; i < EVENT_ARRIVALS + 7; i++) {
        event_publish(EVENT_SHUTDOWN, 0, i, 0, 0);
        cpu_look(8);
    }
    cpus_settle();
    cr_assert(eq(u64, b->s.calls, EVENT_ARRIVALS));
    cr_assert(eq(u64, b->last.word[0], EVENT_ARRIVALS - 1));
    event_bus_counts(0, &counts);
    cr_assert(eq(u64, counts.dropped[EVENT_SHUTDOWN], 7)); /* told where it was published */
}

Test(event_bus, ticks_only_where_they_are_wanted)
{
    create(2);
    event_bus_start();
    cr_assert(eq(u64, tick_period, 0));
    cpu_become(1);
    struct listener *b = subscribed('b', TOPIC_TICK, 0);
    cr_assert(eq(u64, tick_period, 1000));
    cpu_become(0);
    struct listener *a = subscribed('a', TOPIC_TIMER, 0);
    tick_of_cpu[0](7001);
    cpu_become(1);
    tick_of_cpu[1](7002);
    cpus_settle();
    cpu_become(0);
    cr_assert(eq(u64, a->s.calls, 1)); /* each its own, none the other's */
    cr_assert(eq(u64, b->s.calls, 1));
    cr_assert(eq(u64, a->last.word[0], 7001));
    cr_assert(eq(u64, b->last.word[0], 7002));
    cr_assert(eq(u64, a->last.word[1], 7));
    cr_assert(eq(int, event_unsubscribe(&a->s), STATUS_OK));
    cr_assert(eq(u64, tick_period, 0));
}
