/* SPDX-License-Identifier: MIT
 * Latency from one CPU to another, and beside it what the machine can do at best: a cache line that two CPUs write in
 * turn, measured before and after, because a host may move its virtual CPUs. */
#define _GNU_SOURCE
#include "perf/bench/peers/harness.h"

enum { MESSAGES = 20000, RAW_ROUNDS = 10000 };

static _Alignas(CACHE_LINE) uint64_t line;
static _Alignas(CACHE_LINE) uint64_t received;
static _Alignas(CACHE_LINE) uint64_t ticks[MESSAGES];

/* Odd values go there, even ones come back. */
static void *raw_echo(void *unused)
{
    cpu_pin(CONSUMER_CPU);
    for (uint64_t i = 0; i < RAW_ROUNDS; i++) {
        while (load_acquire(&line) != 2 * i + 1) { /* pairs: peers-line */
        }
        store_release(&line, 2 * i + 2); /* pairs: peers-line */
    }
    return unused;
}

static void raw_rounds(void)
{
    for (uint64_t i = 0; i < RAW_ROUNDS; i++) {
        uint64_t start = cpu_rdtsc_ordered();
        store_release(&line, 2 * i + 1);           /* pairs: peers-line */
        while (load_acquire(&line) != 2 * i + 2) { /* pairs: peers-line */
        }
        ticks[i] = cpu_rdtsc_ordered() - start;
    }
}

static uint64_t raw_median(void)
{
    line = 0;
    pthread_t other = thread_start(raw_echo, NULL);
    raw_rounds();
    pthread_join(other, NULL);
    return percentile(ticks, RAW_ROUNDS, 50);
}

/* The stamp is the message, the line its only place. */
static void *bare_consumer(void *unused)
{
    cpu_pin(CONSUMER_CPU);
    for (uint64_t i = 0, last = 0, sent; i < MESSAGES; i++, last = sent) {
        while ((sent = load_acquire(&line)) == last) { /* pairs: peers-line */
        }
        ticks[i] = cpu_rdtsc_ordered() - sent;
        store_release(&received, i + 1); /* pairs: peers-received */
    }
    return unused;
}

/* One way without a queue, measured as with one: what there is to be added to. */
static uint64_t bare_median(void)
{
    line = received = 0;
    pthread_t other = thread_start(bare_consumer, NULL);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        store_release(&line, cpu_rdtsc());         /* pairs: peers-line */
        while (load_acquire(&received) != i + 1) { /* pairs: peers-received */
        }
        post_pause();
    }
    pthread_join(other, NULL);
    return percentile(ticks, MESSAGES, 50);
}

static void *consumer(void *subject)
{
    cpu_pin(CONSUMER_CPU);
    subject_fetch(subject, MESSAGES, &received, ticks);
    return NULL;
}

struct one_way one_way_measure(size_t capacity)
{
    struct subject *s = subject_make(capacity);
    struct one_way result = {.raw_before = raw_median()};
    received = 0;
    pthread_t other = thread_start(consumer, s);
    subject_post(s, MESSAGES, &received);
    pthread_join(other, NULL);
    result.p50 = percentile(ticks, MESSAGES, 50);
    result.p99 = percentile(ticks, MESSAGES, 99);
    result.bare = bare_median();
    result.raw_after = raw_median();
    return result;
}
