/* SPDX-License-Identifier: MIT
 * Listeners, and what lies below the bus. */
#include "tests/unit/ipc/event_bus_world.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <string.h>
#include "sched/timer.h"
#include "tests/unit/cpus/cpus.h"

#include <arch/percpu.h>

struct listener listeners[LISTENERS];
char trace[TRACE];
uint64_t tick_period;
void (*tick_of_cpu[CPUS])(uint64_t now_ns);

/* Below the bus: its timer and its clock. */
void timer_every(uint64_t period_ns, void (*tick)(uint64_t now_ns))
{
    tick_period = period_ns;
    tick_of_cpu[cpu_index()] = tick;
}

static enum event_response listen(struct event_subscription *s, const struct event *e)
{
    struct listener *l = (struct listener *)s;
    size_t n = strlen(trace);
    cr_assert(lt(sz, n, (size_t)TRACE - 1));
    trace[n] = l->letter;
    l->last = *e;
    if (l->acts)
        l->acts(l, e);
    return l->says;
}

struct listener *listener(char letter, uint32_t topics, uint8_t priority)
{
    struct listener *l = &listeners[letter - 'a'];
    *l = (struct listener){.s = {.name = "listener", .handle = listen, .topics = topics, .priority = priority},
                           .letter = letter};
    return l;
}

struct listener *subscribed(char letter, uint32_t topics, uint8_t priority)
{
    struct listener *l = listener(letter, topics, priority);
    cr_assert(eq(int, event_subscribe(&l->s), STATUS_OK));
    return l;
}

void create(uint32_t cpus)
{
    cpus_create(cpus);
    memset(trace, 0, sizeof(trace));
    for (uint32_t cpu = 0; cpu < cpus; cpu++)
        event_bus_create(cpu);
    event_set_tick(1000);
}

void trace_is(const char *expected)
{
    cr_assert(eq(str, trace, (char *)(uintptr_t)expected));
    cr_assert(event_bus_valid());
    memset(trace, 0, sizeof(trace));
}
