/* SPDX-License-Identifier: MIT
 * The textbook bounded queue after Dmitry Vyukov, written down anew: a sequence number in each cell says whose turn it
 * is, producers compete for one index. Cells lie side by side, without padding. vyukov_mpsc.c and vyukov_mpmc.c add the
 * consumer. */
#pragma once
#include "perf/bench/peers/queue.h"

#define QUEUE_PRODUCERS_MAX PRODUCERS_MAX

struct cell {
    uint64_t sequence; /* position: free for it; position + 1: holds its message */
    struct message message;
};

struct queue {
    _Alignas(CACHE_LINE) struct cell *cells;
    uint64_t mask;
    _Alignas(CACHE_LINE) uint64_t enqueue;
    _Alignas(CACHE_LINE) uint64_t dequeue;
};

/* `capacity` is a power of two. */
static struct queue *queue_make(size_t capacity)
{
    struct queue *q = lines_allocate(sizeof(*q));
    q->cells = lines_allocate(capacity * sizeof(struct cell));
    q->mask = capacity - 1;
    for (size_t i = 0; i < capacity; i++) {
        q->cells[i].sequence = i;
    }
    return q;
}

static inline bool queue_send(struct queue *q, const struct message *in)
{
    uint64_t position = load_relaxed(&q->enqueue);
    for (;;) {
        struct cell *cell = &q->cells[position & q->mask];
        int64_t ahead = (int64_t)(load_acquire(&cell->sequence) - position); /* pairs: vyukov-free */
        if (ahead < 0) {
            return false;
        }
        if (ahead > 0) {
            position = load_relaxed(&q->enqueue);
        } else if (cmpxchg_acqrel(&q->enqueue, &position, position + 1)) {
            cell->message = *in;
            store_release(&cell->sequence, position + 1); /* pairs: vyukov-full */
            return true;
        }
    }
}
