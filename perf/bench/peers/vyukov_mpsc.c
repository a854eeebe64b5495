/* SPDX-License-Identifier: MIT
 * The textbook queue with one consumer, whose index is a plain word. */
#include "perf/bench/peers/vyukov.h"

static inline bool queue_recv(struct queue *q, struct message *out)
{
    uint64_t position = q->dequeue;
    struct cell *cell = &q->cells[position & q->mask];
    if (load_acquire(&cell->sequence) != position + 1) { /* pairs: vyukov-full */
        return false;
    }
    *out = cell->message;
    q->dequeue = position + 1;
    store_release(&cell->sequence, position + q->mask + 1); /* pairs: vyukov-free */
    return true;
}

#include "perf/bench/peers/loops.h"
