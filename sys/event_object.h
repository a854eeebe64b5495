/* SPDX-License-Identifier: MIT
 * Event subscriptions of processes: what the event bus delivers to one is kept, the oldest `depth` of it, until
 * event_read fetches it; the rest is counted. A custom event is told by the place of its name in the subscription's
 * list, since a process cannot know the number that the name has got; one that wants all events gets that number. Home
 * CPU. Legend: [I] fixed after boot, [o] home CPU only. */
#pragma once
#include "ipc/event_bus.h"
#include "ipc/object.h"

struct event_object {
    struct object object;
    struct event_subscription subscription;
    struct event *ring;                        /* [I] */
    uint32_t depth;                            /* [I] events that fit */
    uint32_t first, count;                     /* [o] of the ring; READABLE while there are any */
    uint32_t lost;                             /* [o] since the last read; UINT32_MAX: as many or more */
    uint32_t names;                            /* [I] */
    uint8_t numbers[IMAGE_SUBSCRIPTION_NAMES]; /* [I] of the names */
};

/* Subscribes as the image says; `ring` has room for from->depth events. RESOURCE_EXHAUSTED: too many names. Boot. */
enum status event_object_load(struct event_object *o, const struct image_subscription *from, struct event *ring);

/* The process stops: nothing is kept, and nothing comes any more. It starts: as at boot. */
void event_object_stop(struct event_object *o);
void event_object_start(struct event_object *o);

/* Moves as many events as there are and fit whole into `n` bytes, oldest first: OK with their number, and above it,
 * << 32, how many were lost since the last read. UNAVAILABLE: none is there; OUT_OF_RANGE: not one would fit. */
struct result event_object_read(struct event_object *o, char *buffer, uint64_t n);
