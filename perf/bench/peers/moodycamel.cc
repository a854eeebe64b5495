/* SPDX-License-Identifier: MIT
 * moodycamel::ConcurrentQueue (libconcurrentqueue-dev), many producers and consumers. It is not bounded: the capacity
 * is what it allocates at first, and try_enqueue allocates no more. Order holds among one producer's messages. */
#include "perf/bench/peers/queue.h"

#include <concurrentqueue/concurrentqueue.h>

#define QUEUE_PRODUCERS_MAX PRODUCERS_MAX

struct queue {
    moodycamel::ConcurrentQueue<message> messages;
};

/* Each producer fills blocks of its own: room for all of them, or one that starts late might find none left. */
static queue *queue_make(size_t capacity)
{
    return new queue{moodycamel::ConcurrentQueue<message>(capacity, 0, PRODUCERS_MAX)};
}

static inline bool queue_send(queue *q, const message *in)
{
    return q->messages.try_enqueue(*in);
}

static inline bool queue_recv(queue *q, message *out)
{
    return q->messages.try_dequeue(*out);
}

#include "perf/bench/peers/loops.h"
