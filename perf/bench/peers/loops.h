/* SPDX-License-Identifier: MIT
 * The timed loops of subject.h around the adapter that includes this. The same text is compiled for every queue; the
 * queue's operations are in line or, if the queue's authors chose so, calls, but never calls through a pointer. */
#pragma once
#include "perf/bench/peers/queue.h"

#include <sched.h>

/* Producer in the top bits, so that a word names a message. */
#define PRODUCER_SHIFT 56
#define TRIES_BEFORE_YIELD 64

const unsigned subject_producers_max = QUEUE_PRODUCERS_MAX;

static inline struct queue *queue_of(struct subject *s)
{
    return (struct queue *)s;
}

struct subject *subject_make(size_t capacity)
{
    return (struct subject *)queue_make(capacity);
}

/* The barriers make each operation begin and end with the message, and with the queue's words, in memory, as in a
 * caller that does something else between. */
uint64_t subject_pairs(struct subject *s, uint64_t n)
{
    struct queue *queue = queue_of(s);
    struct message in = {{0}}, out = {{0}};
    for (uint64_t i = 0; i < n; i++) {
        __asm__ volatile("" : "+m"(in) : : "memory");
        if (!queue_send(queue, &in)) {
            return i;
        }
        compiler_barrier();
        if (!queue_recv(queue, &out)) {
            return i;
        }
        __asm__ volatile("" : : "m"(out) : "memory");
    }
    return n;
}

/* Before the next try. */
static inline void stream_wait(unsigned *tries, bool yields)
{
    cpu_pause();
    if (yields && ++*tries % TRIES_BEFORE_YIELD == 0) {
        sched_yield();
    }
}

static inline void message_send(struct queue *queue, struct message *in, uint64_t value, bool yields)
{
    unsigned tries = 0;
    in->words[0] = value;
    in->words[MESSAGE_LAST] = value;
    __asm__ volatile("" : "+m"(*in) : : "memory");
    while (!queue_send(queue, in)) {
        stream_wait(&tries, yields);
    }
}

void subject_produce(struct subject *s, uint64_t producer, uint64_t n, bool yields)
{
    struct message in = {{0}};
    for (uint64_t i = 0; i < n; i++) {
        message_send(queue_of(s), &in, producer << PRODUCER_SHIFT | i, yields);
    }
}

bool subject_consume(struct subject *s, uint64_t n, bool yields)
{
    struct queue *queue = queue_of(s);
    struct message out = {{0}};
    uint64_t next[PRODUCERS_MAX] = {0};
    bool good = true;
    for (uint64_t i = 0; i < n; i++) {
        unsigned tries = 0;
        while (!queue_recv(queue, &out)) {
            stream_wait(&tries, yields);
        }
        __asm__ volatile("" : "+m"(out) : : "memory");
        uint64_t value = out.words[0], producer = value >> PRODUCER_SHIFT & (PRODUCERS_MAX - 1);
        good &= value == (producer << PRODUCER_SHIFT | next[producer]) && value == out.words[MESSAGE_LAST];
        next[producer]++;
    }
    return good;
}

void subject_post(struct subject *s, uint64_t n, const uint64_t *received)
{
    struct message in = {{0}};
    for (uint64_t i = 0; i < n; i++) {
        message_send(queue_of(s), &in, cpu_rdtsc(), false);
        while (load_acquire(received) != i + 1) { /* pairs: peers-received */
        }
        post_pause();
    }
}

/* The stamp is ordered behind the copy: a message has arrived when all of it has. */
void subject_fetch(struct subject *s, uint64_t n, uint64_t *received, uint64_t *ticks)
{
    struct queue *queue = queue_of(s);
    struct message out = {{0}};
    for (uint64_t i = 0; i < n; i++) {
        while (!queue_recv(queue, &out)) {
        }
        __asm__ volatile("" : "+m"(out) : : "memory");
        ticks[i] = cpu_rdtsc_ordered() - out.words[0];
        store_release(received, i + 1); /* pairs: peers-received */
    }
}
