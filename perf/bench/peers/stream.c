/* SPDX-License-Identifier: MIT
 * Throughput: producers send as fast as they can, the consumer checks that everything came whole and in order. */
#define _GNU_SOURCE
#include "perf/bench/peers/harness.h"

#define MESSAGES 200000

struct stream {
    struct subject *subject;
    uint64_t producers;
    bool yields; /* two of the threads have one CPU */
    pthread_barrier_t ready;
    bool good;
    double end_ns;
};

static void *consumer(void *arg)
{
    struct stream *s = arg;
    cpu_pin(CONSUMER_CPU);
    pthread_barrier_wait(&s->ready);
    s->good = subject_consume(s->subject, MESSAGES, s->yields);
    s->end_ns = now_ns();
    return NULL;
}

static void *second_producer(void *arg)
{
    struct stream *s = arg;
    cpu_pin(SECOND_PRODUCER_CPU);
    pthread_barrier_wait(&s->ready);
    subject_produce(s->subject, 1, MESSAGES / s->producers, s->yields);
    return NULL;
}

/* The clock starts when the first producer does, and stops when the consumer has the last message. */
double stream_mops(size_t capacity, uint64_t producers)
{
    struct stream s = {.subject = subject_make(capacity), .producers = producers};
    s.yields = producers > 1 && cpus[SECOND_PRODUCER_CPU] == cpus[CONSUMER_CPU];
    pthread_barrier_init(&s.ready, NULL, (unsigned)producers + 1);
    pthread_t threads[PRODUCERS_MAX] = {thread_start(consumer, &s)};
    for (uint64_t i = 1; i < producers; i++) {
        threads[i] = thread_start(second_producer, &s);
    }
    pthread_barrier_wait(&s.ready);
    double start_ns = now_ns();
    subject_produce(s.subject, 0, MESSAGES / producers, s.yields);
    for (uint64_t i = 0; i < producers; i++) {
        pthread_join(threads[i], NULL);
    }
    if (!s.good) {
        die("messages came torn or out of order");
    }
    return MESSAGES * 1e3 / (s.end_ns - start_ns);
}
