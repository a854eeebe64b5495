/* SPDX-License-Identifier: MIT
 * Subscribers for tests of the event bus: each writes its letter into a trace, and does what it is told. */
#pragma once
#include "ipc/event_bus.h"

enum { CPUS = 4, LISTENERS = 8, TRACE = 4096 };

struct listener {
    struct event_subscription s;
    char letter; /* from a on */
    enum event_response says;
    void (*acts)(struct listener *l, const struct event *e);
    struct event last;
};

extern struct listener listeners[LISTENERS];
extern char trace[TRACE];
extern uint64_t tick_period;
extern void (*tick_of_cpu[CPUS])(uint64_t now_ns);

/* Played CPUs, each with its shard, and an empty trace. */
void create(uint32_t cpus);

/* The listener of this letter, made anew; and subscribed on this CPU. */
struct listener *listener(char letter, uint32_t topics, uint8_t priority);
struct listener *subscribed(char letter, uint32_t topics, uint8_t priority);

/* Who has been called, in order; the trace begins again. */
void trace_is(const char *expected);
