/* SPDX-License-Identifier: MIT
 * DPDK's ring for one producer and one consumer. */
#include "perf/bench/peers/rte.h"

#define QUEUE_PRODUCERS_MAX 1

static struct queue *queue_make(size_t capacity)
{
    return rte_make(capacity, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static inline bool queue_send(struct queue *q, const struct message *in)
{
    return rte_ring_sp_enqueue_bulk_elem(&q->ring, in, ELEMENT_BYTES, ELEMENTS, NULL) == ELEMENTS;
}

static inline bool queue_recv(struct queue *q, struct message *out)
{
    return rte_ring_sc_dequeue_bulk_elem(&q->ring, out, ELEMENT_BYTES, ELEMENTS, NULL) == ELEMENTS;
}

#include "perf/bench/peers/loops.h"
