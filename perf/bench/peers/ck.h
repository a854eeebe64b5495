/* SPDX-License-Identifier: MIT
 * Concurrency Kit's ring (libck-dev). Of its `capacity` slots one stays empty. */
#pragma once
#include "perf/bench/peers/queue.h"

#include <ck_ring.h>

CK_RING_PROTOTYPE(messages, message)

struct queue {
    _Alignas(CACHE_LINE) struct ck_ring ring;
    struct message *slots;
};

static struct queue *queue_make(size_t capacity)
{
    struct queue *q = lines_allocate(sizeof(*q));
    q->slots = lines_allocate(capacity * sizeof(*q->slots));
    ck_ring_init(&q->ring, (unsigned)capacity);
    return q;
}
