/* SPDX-License-Identifier: MIT
 * The event bus: who wants to know what happens, on whichever CPU it happens. There is a shard per CPU: the queue of
 * events that arrived there and the list of those who want them, which only that CPU touches.
 *
 *   event_publish -> this CPU's ring ----(bus_run)----> subscribers here, most urgent first
 *                                           \--------> channel of each other CPU that has a subscriber: one copy each
 *
 * Publishing is an append, whatever the number of subscribers, and nothing but a count if no CPU has one for this kind.
 * Delivery happens when the kernel looks at its inbox, on the subscriber's CPU, one event after the other, to all who
 * match, by priority (0 first), in the order of subscription among equals; no response stops it. A ring or channel that
 * is full keeps what it has and refuses the newest: that is counted, by kind, and reported at the end.
 *
 * A handler may publish, subscribe, unsubscribe itself and others, pause and resume. Whoever is subscribed while an
 * event is being delivered sees the next one first; who is unsubscribed or paused is not called any more, for the event
 * under way neither. Storage of subscriptions is the caller's. Legend: [I] fixed after subscribing, [o] home CPU only,
 * [a] atomic. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/abi/event.h"
#include "sys/abi/status.h"

#define EVENT_PRIORITY_HIGHEST 0
#define EVENT_PRIORITY_HIGH 64
#define EVENT_PRIORITY_NORMAL 128
#define EVENT_PRIORITY_LOW 192
#define EVENT_PRIORITY_LOWEST 255

#define EVENT_RING 128       /* events waiting where they were published */
#define EVENT_ARRIVALS 128   /* from other CPUs */
#define EVENT_STEP 32        /* of each delivered in one go, then other messages have their turn */
#define EVENT_DEFERRALS 32   /* put off on one CPU at a time */
#define EVENT_DEFERRED_MAX 8 /* how often one event may be put off */
#define EVENT_NESTING_MAX 4  /* event_publish_sync inside handlers */

/* DEFERRED: not now. The event comes again, to this handler alone, behind what is in the queue; if that is full, or
 * when it has been put off EVENT_DEFERRED_MAX times, it is dropped for this handler, and counted. */
enum event_response { EVENT_HANDLED, EVENT_IGNORED, EVENT_DEFERRED, EVENT_ERROR };

struct event_subscription {
    const char *name; /* [I] for reports */
    enum event_response (*handle)(struct event_subscription *s, const struct event *e);
    void *context;    /* [I] */
    uint32_t topics;  /* [I] TOPIC_*, one or more */
    uint8_t priority; /* [I] EVENT_PRIORITY_*, or any other value */
    bool always;      /* [I] event_bus_pause does not concern it */
    bool paused;      /* [o] what is delivered meanwhile passes it by */
    bool subscribed;  /* [o] */
    uint64_t names;   /* [I] with TOPIC_CUSTOM: a bit for each number of a name (ipc/name.h); TOPIC_ALL needs none */
    uint64_t id;      /* [o] given by each subscribing, never twice; from 1 */
    uint64_t calls;   /* [o] */
    uint64_t missed;  /* [o] events that it put off and never got again */
    struct event_subscription *next; /* [o] */
};

/* What became of the events that arrived on a CPU. `published` is of this CPU, by kind, and counts also what nobody
 * wanted; `dropped`: the queue here or, with an event from here, on a CPU that wanted it, was full. */
struct event_counts {
    uint64_t published[EVENT_KINDS], dropped[EVENT_KINDS];
    uint64_t delivered; /* events, to whoever matched */
    uint64_t handled, ignored, deferred, errors;
};

/* What one event met with: how many handlers said so. */
struct event_dispatch {
    uint32_t handled, ignored, deferred, errors;
};

/* The queue of `cpu`. Boot CPU, before threads run. */
void event_bus_create(uint32_t cpu);

/* From here on this CPU's events are delivered. Once, when the CPU begins to run threads. */
void event_bus_start(void);

/* Any context with interrupts off but an NMI; in handlers too. */
void event_append(uint64_t kind_and_value, uint64_t word0, uint64_t word1, uint64_t word2);
static inline void event_publish(enum event_kind kind, uint32_t value, uint64_t word0, uint64_t word1, uint64_t word2)
{
    event_append(kind | (uint64_t)value << 32, word0, word1, word2);
}

/* A custom event. INVALID_ARGUMENT: a name that is none, or more than EVENT_DATA_BYTES of data; RESOURCE_EXHAUSTED: too
 * many names are known. Context as name_intern. */
enum status event_publish_custom(const char *name, const void *data, size_t bytes);

/* Delivers to this CPU's subscribers before it returns, out of turn, and gives what they said; those of other CPUs get
 * it as by event_publish. In a handler too, EVENT_NESTING_MAX deep; deeper it is event_publish, and gives zeros. */
struct event_dispatch event_publish_sync(const struct event *e);

/* On this CPU. ALREADY_EXISTS; INVALID_ARGUMENT without a handler or a topic, or with a topic that is none. */
enum status event_subscribe(struct event_subscription *s);

/* The same on a CPU that does not run threads yet. Boot CPU. */
enum status event_subscribe_at_boot(uint32_t cpu, struct event_subscription *s);

/* On this CPU, where it was subscribed. NOT_FOUND, also the second time. When it has returned the handler is not called
 * any more. */
enum status event_unsubscribe(struct event_subscription *s);

/* Every CPU: what arrives meanwhile is thrown away, counted as published only, but for subscriptions that are `always`
 * told. Any CPU. */
void event_bus_pause(bool on);

/* How long from one EVENT_TICK to the next, on all CPUs. Boot. */
void event_set_tick(uint64_t ns);

/* Any CPU, roughly now. */
void event_bus_counts(uint32_t cpu, struct event_counts *counts);
uint32_t event_bus_subscriptions(uint32_t cpu);

/* The name of a kind, for reports and the control port. */
const char *event_kind_name(enum event_kind kind);

/* The list of this CPU is in order, and its interest is what its list says. For tests. */
bool event_bus_valid(void);
