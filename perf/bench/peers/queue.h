/* SPDX-License-Identifier: MIT
 * The interface of an adapter: a file per queue, which includes this, defines
 *     QUEUE_PRODUCERS_MAX                     1 or PRODUCERS_MAX
 *     struct queue
 *     struct queue *queue_make(size_t)        for at least that many messages, if the queue's kind allows to ask for
 * that bool queue_send(struct queue *, const struct message *)    false: full bool queue_recv(struct queue *, struct
 * message *)          false: empty and then includes loops.h. All static, the last two in line. C and C++. */
#pragma once
#include "perf/bench/peers/subject.h"

#include <arch/atomic.h>
#include <arch/cpu.h>
#include <stdlib.h>
#include <string.h>

/* MESSAGE_BYTES is given by the compiler's command line. */
struct message {
    uint64_t words[MESSAGE_BYTES / 8];
};

#define MESSAGE_LAST (MESSAGE_BYTES / 8 - 1)

/* Zeroed memory, aligned to a cache line, never given back. */
static inline void *lines_allocate(size_t bytes)
{
    size_t whole = (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    void *lines = aligned_alloc(CACHE_LINE, whole);
    if (!lines) {
        abort();
    }
    return memset(lines, 0, whole);
}
