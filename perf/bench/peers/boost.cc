/* SPDX-License-Identifier: MIT
 * Boost.Lockfree's queue (libboost-dev), many producers and consumers. Of fixed size, so that a send allocates nothing.
 */
#include "perf/bench/peers/queue.h"

#include <boost/lockfree/queue.hpp>

#define QUEUE_PRODUCERS_MAX PRODUCERS_MAX

struct queue {
    boost::lockfree::queue<message, boost::lockfree::fixed_sized<true>> messages;
};

static queue *queue_make(size_t capacity)
{
    return new queue{boost::lockfree::queue<message, boost::lockfree::fixed_sized<true>>(capacity)};
}

static inline bool queue_send(queue *q, const message *in)
{
    return q->messages.push(*in);
}

static inline bool queue_recv(queue *q, message *out)
{
    return q->messages.pop(*out);
}

#include "perf/bench/peers/loops.h"
