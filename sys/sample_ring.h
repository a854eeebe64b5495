/* SPDX-License-Identifier: MIT
 * Samples of one CPU on their way to the boot CPU: records of 32-bit words, one behind the other. One writer, in an NMI
 * of that CPU, which nothing can interrupt before its IRET; one reader. A record that does not fit is dropped and
 * counted; none is ever overwritten.
 *
 *   writer                              reader
 *   words of the record                 load head (acquire)
 *   store head (release)                words
 *                                       store tail (release)
 *   load tail (acquire), before it
 *   writes where the reader has been
 * pairs: sample-head, sample-tail. The writer may be an NMI that hit the reader itself: the same holds.
 * Legend: [I] fixed after init, [w] the writer's, [r] the reader's, each read by the other. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sample_ring {
    uint32_t *words;            /* [I] NULL: there is none */
    uint64_t count;             /* [I] of words; a power of two */
    uint64_t head;              /* [w] words ever written */
    uint64_t taken;             /* [w] records that were to be written; the next one's number */
    uint64_t dropped;           /* [w] of them */
    _Alignas(64) uint64_t tail; /* [r] words ever read */
};

/* An empty ring in `words`, of `count`, a power of two. */
void sample_ring_init(struct sample_ring *r, uint32_t *words, uint64_t count);

/* Appends a record of `n` words, the first of which says so (sys/abi/profile.h). False: dropped. Either way it counts
 * as taken. Writer. */
bool sample_ring_put(struct sample_ring *r, const uint32_t *record, size_t n);

/* Takes the oldest record, of at most `room` words; its words, 0: there is none, or it has more. Reader. */
size_t sample_ring_take(struct sample_ring *r, uint32_t *record, size_t room);

/* Words that wait. Reader. */
uint64_t sample_ring_waiting(const struct sample_ring *r);
