/* SPDX-License-Identifier: MIT
 * Indices run freely; the place is their remainder. */
#include "sys/sample_ring.h"

#include "sys/abi/profile.h"

#include <arch/atomic.h>

void sample_ring_init(struct sample_ring *r, uint32_t *words, uint64_t count)
{
    *r = (struct sample_ring){.words = words, .count = count};
}

bool sample_ring_put(struct sample_ring *r, const uint32_t *record, size_t n)
{
    uint64_t head = r->head;
    r->taken++;
    if (n > r->count - (head - load_acquire(&r->tail))) { /* pairs: sample-tail */
        r->dropped++;
        return false;
    }
    for (size_t i = 0; i < n; i++)
        r->words[(head + i) & (r->count - 1)] = record[i];
    store_release(&r->head, head + n); /* pairs: sample-head */
    return true;
}

size_t sample_ring_take(struct sample_ring *r, uint32_t *record, size_t room)
{
    uint64_t tail = r->tail;
    if (load_acquire(&r->head) == tail) /* pairs: sample-head */
        return 0;
    size_t n = PROFILE_WORDS(r->words[tail & (r->count - 1)]);
    if (n > room)
        return 0;
    for (size_t i = 0; i < n; i++)
        record[i] = r->words[(tail + i) & (r->count - 1)];
    store_release(&r->tail, tail + n); /* pairs: sample-tail */
    return n;
}

uint64_t sample_ring_waiting(const struct sample_ring *r)
{
    return load_acquire(&r->head) - r->tail; /* pairs: sample-head */
}
