/* SPDX-License-Identifier: MIT
 * Concurrency Kit's ring for many producers and one consumer. */
#include "perf/bench/peers/ck.h"

#define QUEUE_PRODUCERS_MAX PRODUCERS_MAX

/* The cast is the library's: it takes a message that it only reads as one that it might write. */
static inline bool queue_send(struct queue *q, const struct message *in)
{
    return ck_ring_enqueue_mpsc_messages(&q->ring, q->slots, (struct message *)(uintptr_t)in);
}

static inline bool queue_recv(struct queue *q, struct message *out)
{
    return ck_ring_dequeue_mpsc_messages(&q->ring, q->slots, out);
}

#include "perf/bench/peers/loops.h"
