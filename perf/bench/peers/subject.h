/* SPDX-License-Identifier: MIT
 * What the harness knows of the queue that it is linked with: one queue and one size of message per program. Each
 * function is a whole timed loop of loops.h, so that inside of it the queue's operations are in line. */
#pragma once
#include <arch/cpu.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRODUCERS_MAX 2

#ifdef __cplusplus
extern "C" {
#endif

struct subject; /* the queue */

extern const unsigned subject_producers_max; /* 1 if a second producer is not allowed */

/* A new, empty queue for `capacity` messages; never freed. Ends the program if there is none. */
struct subject *subject_make(size_t capacity);

/* One thread: a message in, the message out, n times. How many pairs succeeded. */
uint64_t subject_pairs(struct subject *s, uint64_t n);

/* One side of a stream; `producer` is below PRODUCERS_MAX. With `yields`, for threads that share a CPU, who finds the
 * queue full or empty for long gives the CPU away. */
void subject_produce(struct subject *s, uint64_t producer, uint64_t n, bool yields);

/* The other: n messages in all. Whether each producer's came whole and in its order, all of them. */
bool subject_consume(struct subject *s, uint64_t n, bool yields);

/* Between a message that was received and the next: the consumer polls again, and nothing is under way. */
static inline void post_pause(void)
{
    enum { PAUSE_TICKS = 400 };
    for (uint64_t start = cpu_rdtsc(); cpu_rdtsc() - start < PAUSE_TICKS;) {
    }
}

/* n messages, each sent into the empty queue: it carries the time stamp counter, and the next one goes when *received
 * says that it was received, after a pause. */
void subject_post(struct subject *s, uint64_t n, const uint64_t *received);

/* The other side: ticks[i] is how long message i was under way. */
void subject_fetch(struct subject *s, uint64_t n, uint64_t *received, uint64_t *ticks);

#ifdef __cplusplus
}
#endif
