/* SPDX-License-Identifier: MIT
 * The event bus with a real thread for each CPU, under ThreadSanitizer: all publish, some subscribe and leave all the
 * time, and the books must balance: what a CPU that always listens was published is delivered, in its publisher's
 * order, or counted as dropped; nobody is called after it has left. Exit status 0 if all held; otherwise the first
 * broken rule is printed. */
#include "ipc/event_bus.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include "sched/inbox.h"
#include "tests/unit/cpus/cpus.h"

#include <arch/atomic.h>
#include <arch/cpu.h>
#include <arch/percpu.h>

enum { CPUS = 4, EVENTS = 8000, LISTENING = 2, WINDOW = 24, PATIENCE = 200 };

/* CPUs 0 and 1 listen from the start to the end; the others come and go. */
static struct listener {
    struct event_subscription s;
    uint64_t seen[CPUS]; /* by publisher: how many */
    uint64_t next[CPUS]; /* [a] the number that may come next, or a later one */
    uint64_t left;       /* it must not be called */
} listeners[CPUS];

static uint32_t publishing = CPUS; /* [a] */
static uint32_t looking = CPUS;    /* [a] */

/* sched/timer.h and <time.h>, which <pthread.h> brings, do not go together. */
void timer_every(uint64_t period_ns, void (*tick)(uint64_t now_ns));
void timer_every(uint64_t period_ns, void (*tick)(uint64_t now_ns))
{
    (void)period_ns, (void)tick;
}

static void must(bool holds, const char *rule)
{
    if (holds)
        return;
    printf("broken: %s\n", rule);
    exit(1);
}

static enum event_response listen(struct event_subscription *s, const struct event *e)
{
    struct listener *l = (struct listener *)s;
    must(!l->left, "nobody is called after it has left");
    must(e->word[0] >= load_relaxed(&l->next[e->cpu]), "the events of a CPU arrive in their order, each once");
    store_relaxed(&l->next[e->cpu], e->word[0] + 1);
    l->seen[e->cpu]++;
    return EVENT_HANDLED;
}

static void come_or_go(struct listener *l)
{
    enum status s = l->left ? event_subscribe(&l->s) : event_unsubscribe(&l->s);
    must(s == STATUS_OK, "who is not there can come, who is there can go");
    l->left = !l->left;
}

/* Not much faster than the listeners, or most would be dropped; not for ever, since what is dropped never comes. */
static void keep_pace(uint32_t cpu, uint64_t i)
{
    for (uint32_t n = 0; n < PATIENCE; n++) {
        bool far = false;
        for (uint32_t to = 0; to < LISTENING; to++)
            far |= load_relaxed(&listeners[to].next[cpu]) + WINDOW < i;
        if (!far)
            return;
        cpu_look(1);
        sched_yield();
    }
}

static void *run(void *argument)
{
    uint32_t cpu = (uint32_t)(uintptr_t)argument;
    cpu_become(cpu);
    for (uint64_t i = 0; i < EVENTS; i++) {
        event_publish(EVENT_SHUTDOWN, 0, i, 0, 0);
        if (i % 3 == 0)
            cpu_look(1);
        if (i % 16)
            keep_pace(cpu, i);
        if (cpu >= LISTENING && i % 7 == 0)
            come_or_go(&listeners[cpu]);
    }
    fetch_add_relaxed(&publishing, UINT32_MAX);
    while (load_acquire(&publishing))
        cpu_look(1);
    cpu_look(64);
    fetch_add_relaxed(&looking, UINT32_MAX);
    while (load_acquire(&looking)) /* what others forward late */
        cpu_look(1);
    cpu_look(64);
    must(event_bus_valid(), "the shard is in order");
    return NULL;
}

static uint64_t dropped_by(uint32_t cpu)
{
    struct event_counts counts;
    event_bus_counts(cpu, &counts);
    must(counts.published[EVENT_SHUTDOWN] == EVENTS, "everything is counted as published");
    return counts.dropped[EVENT_SHUTDOWN];
}

int main(void)
{
    pthread_t threads[CPUS];
    cpus_create(CPUS);
    for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
        event_bus_create(cpu);
        listeners[cpu].s = (struct event_subscription){.name = "l", .handle = listen, .topics = TOPIC_SHUTDOWN};
        must(event_subscribe_at_boot(cpu, &listeners[cpu].s) == STATUS_OK, "subscribed");
    }
    for (uint32_t cpu = 0; cpu < CPUS; cpu++)
        pthread_create(&threads[cpu], NULL, run, (void *)(uintptr_t)cpu);
    for (uint32_t cpu = 0; cpu < CPUS; cpu++)
        pthread_join(threads[cpu], NULL);
    for (uint32_t from = 0; from < CPUS; from++) {
        uint64_t dropped = dropped_by(from), missing = 0;
        for (uint32_t to = 0; to < LISTENING; to++)
            missing += EVENTS - listeners[to].seen[from];
        /* One count may stand for a full ring, which every listener misses, or for one listener's full channel. */
        must(missing <= dropped * LISTENING && (dropped || !missing), "what is missing was counted");
        printf("CPU %u: %lu dropped, %lu missing at two listeners\n", from, dropped, missing);
    }
    printf("ok\n");
    return 0;
}
