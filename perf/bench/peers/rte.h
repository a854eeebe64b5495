/* SPDX-License-Identifier: MIT
 * DPDK's ring (libdpdk-dev) in memory of our own, without DPDK's environment layer. RING_F_EXACT_SZ makes the asked
 * capacity usable, in twice as many slots. Elements of 8 and 16 bytes are copied best, others in words of 4; so a
 * message is one of 8 bytes or, all or nothing, a bulk of 16, which for 64 bytes takes half the instructions of one
 * element of 64. */
#pragma once
#include "perf/bench/peers/queue.h"

#include <rte_ring.h>
#include <rte_ring_elem.h>

#define ELEMENT_BYTES (MESSAGE_BYTES % 16 == 0 ? 16 : 8)
#define ELEMENTS (MESSAGE_BYTES / ELEMENT_BYTES)

struct queue {
    struct rte_ring ring;
};

static inline struct queue *rte_make(size_t capacity, unsigned flags)
{
    ssize_t bytes = rte_ring_get_memsize_elem(ELEMENT_BYTES, rte_align32pow2((uint32_t)(capacity * ELEMENTS) + 1));
    struct queue *q = bytes > 0 ? lines_allocate((size_t)bytes) : NULL;
    if (!q || rte_ring_init(&q->ring, "peer", (unsigned)(capacity * ELEMENTS), flags | RING_F_EXACT_SZ) != 0) {
        abort();
    }
    return q;
}
