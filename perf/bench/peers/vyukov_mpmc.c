/* SPDX-License-Identifier: MIT
 * The textbook queue with consumers that compete as the producers do. */
#include "perf/bench/peers/vyukov.h"

static inline bool queue_recv(struct queue *q, struct message *out)
{
    uint64_t position = load_relaxed(&q->dequeue);
    for (;;) {
        struct cell *cell = &q->cells[position & q->mask];
        int64_t ahead = (int64_t)(load_acquire(&cell->sequence) - (position + 1)); /* pairs: vyukov-full */
        if (ahead < 0) {
            return false;
        }
        if (ahead > 0) {
            position = load_relaxed(&q->dequeue);
        } else if (cmpxchg_acqrel(&q->dequeue, &position, position + 1)) {
            *out = cell->message;
            store_release(&cell->sequence, position + q->mask + 1); /* pairs: vyukov-free */
            return true;
        }
    }
}

#include "perf/bench/peers/loops.h"
