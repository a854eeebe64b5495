/* SPDX-License-Identifier: MIT
 * No queue: what the loops cost by themselves. Only subject_pairs makes sense with it. */
#include "perf/bench/peers/queue.h"

#define QUEUE_PRODUCERS_MAX 1

struct queue {
    char unused;
};

static struct queue *queue_make(size_t capacity)
{
    return lines_allocate(capacity);
}

static inline bool queue_send(struct queue *q, const struct message *in)
{
    (void)q, (void)in;
    return true;
}

static inline bool queue_recv(struct queue *q, struct message *out)
{
    (void)q, (void)out;
    return true;
}

#include "perf/bench/peers/loops.h"
