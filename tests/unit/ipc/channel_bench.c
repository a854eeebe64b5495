/* SPDX-License-Identifier: MIT
 * What the channel costs on the host, beside a textbook Vyukov queue of the same shape in the same run; not part of
 * check. One thread: ns and exact user instructions of a send with its receive (counted by single-stepping two runs
 * of different length and taking the difference, so the loop is in it and nothing else). Two threads on two CPUs:
 * the raw round trip of a cache line, one way through the queue, throughput; worth something only when nobody else
 * uses those CPUs. */
#define _GNU_SOURCE
#include "ipc/channel.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct word1 {
    uint64_t w[1];
};
struct word7 {
    uint64_t w[7];
};
struct word8 {
    uint64_t w[8];
};
struct word25 {
    uint64_t w[25];
};

/* The yardstick: one cell per item with its sequence, compare-and-swap on the producers' index, a plain consumer
 * index. */
#define VYUKOV_DEFINE(name, type)                                                                                    \
    struct name##_cell {                                                                                             \
        uint64_t sequence;                                                                                           \
        type item;                                                                                                   \
    };                                                                                                               \
    struct name {                                                                                                    \
        _Alignas(CACHE_LINE) struct name##_cell *cells;                                                              \
        uint64_t mask;                                                                                               \
        _Alignas(CACHE_LINE) uint64_t enqueue;                                                                       \
        _Alignas(CACHE_LINE) uint64_t dequeue;                                                                       \
    };                                                                                                               \
    static void name##_init(struct name *q, size_t capacity)                                                         \
    {                                                                                                                \
        size_t bytes = (capacity * sizeof(struct name##_cell) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;           \
        *q = (struct name){.cells = aligned_alloc(CACHE_LINE, bytes), .mask = capacity - 1};                         \
        memset(q->cells, 0, bytes);                                                                                  \
        for (size_t i = 0; i < capacity; i++) {                                                                      \
            q->cells[i].sequence = i;                                                                                \
        }                                                                                                            \
    }                                                                                                                \
    static inline bool name##_send(struct name *q, const type *item)                                                 \
    {                                                                                                                \
        uint64_t position = load_relaxed(&q->enqueue);                                                               \
        for (;;) {                                                                                                   \
            struct name##_cell *cell = &q->cells[position & q->mask];                                                \
            int64_t ahead = (int64_t)(load_acquire(&cell->sequence) - position);                                     \
            if (ahead == 0) {                                                                                        \
                if (cmpxchg_acqrel(&q->enqueue, &position, position + 1)) {                                          \
                    cell->item = *item;                                                                              \
                    store_release(&cell->sequence, position + 1);                                                    \
                    return true;                                                                                     \
                }                                                                                                    \
            } else if (ahead < 0) {                                                                                  \
                return false;                                                                                        \
            } else {                                                                                                 \
                position = load_relaxed(&q->enqueue);                                                                \
            }                                                                                                        \
        }                                                                                                            \
    }                                                                                                                \
    static inline bool name##_recv(struct name *q, type *item)                                                       \
    {                                                                                                                \
        uint64_t position = q->dequeue;                                                                              \
        struct name##_cell *cell = &q->cells[position & q->mask];                                                    \
        if (load_acquire(&cell->sequence) != position + 1) {                                                         \
            return false;                                                                                            \
        }                                                                                                            \
        *item = cell->item;                                                                                          \
        q->dequeue = position + 1;                                                                                   \
        store_release(&cell->sequence, position + q->mask + 1);                                                      \
        return true;                                                                                                 \
    }

/* Two runners per queue and type. `pairs` keeps the item in memory, as callers have it; `stream` is one side of a
 * pipe. */
#define RUNNERS(name, type, queue, send_ok, recv_ok)                                                                 \
    static __attribute__((noinline)) uint64_t name##_pairs(void *q, uint64_t n)                                      \
    {                                                                                                                \
        queue *c = q;                                                                                                \
        type in = {0}, out = {0};                                                                                    \
        uint64_t failures = 0;                                                                                       \
        for (uint64_t i = 0; i < n; i++) {                                                                           \
            __asm__ volatile("" : "+m"(in));                                                                         \
            if (!(send_ok) || !(recv_ok)) {                                                                          \
                failures++;                                                                                          \
            }                                                                                                        \
            __asm__ volatile("" ::"m"(out));                                                                         \
        }                                                                                                            \
        return failures;                                                                                             \
    }                                                                                                                \
    static void name##_push(void *q, uint64_t value)                                                                 \
    {                                                                                                                \
        queue *c = q;                                                                                                \
        type in = {{value}};                                                                                         \
        while (!(send_ok)) {                                                                                         \
            cpu_pause();                                                                                             \
        }                                                                                                            \
    }                                                                                                                \
    static uint64_t name##_pull(void *q)                                                                             \
    {                                                                                                                \
        queue *c = q;                                                                                                \
        type out;                                                                                                    \
        while (!(recv_ok)) {                                                                                         \
        }                                                                                                            \
        __asm__ volatile("" ::"m"(out));                                                                             \
        return out.w[0];                                                                                             \
    }

#define QUEUES(name, type)                                                                                           \
    CHANNEL_DEFINE(channel_##name, struct type)                                                                      \
    VYUKOV_DEFINE(vyukov_##name, struct type)                                                                        \
    RUNNERS(channel_##name, struct type, struct channel, channel_##name##_send(c, &in) == STATUS_OK,                 \
            channel_##name##_try_recv(c, &out) == STATUS_OK)                                                         \
    RUNNERS(vyukov_##name, struct type, struct vyukov_##name, vyukov_##name##_send(c, &in),                          \
            vyukov_##name##_recv(c, &out))

QUEUES(8, word1)
QUEUES(56, word7)
QUEUES(64, word8)
QUEUES(200, word25)

struct subject {
    const char *name;
    uint64_t (*pairs)(void *, uint64_t);
    void (*push)(void *, uint64_t);
    uint64_t (*pull)(void *);
    void *queue;
};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static long steps(const struct subject *s, uint64_t n)
{
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit((int)s->pairs(s->queue, n));
    }
    int status;
    long count = 0;
    for (waitpid(child, &status, 0); WIFSTOPPED(status); waitpid(child, &status, 0), count++) {
        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0) {
            exit(1);
        }
    }
    return WEXITSTATUS(status) == 0 ? count : -1;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The best of many short runs: each is shorter than a time slice, so some of them are left alone. */
static double pair_ns(const struct subject *s)
{
    enum { RUNS = 200, PAIRS = 20000 };
    double best = 0;
    for (int i = 0; i < RUNS; i++) {
        double start = now_ns();
        if (s->pairs(s->queue, PAIRS) != 0) {
            exit(1);
        }
        double ns = (now_ns() - start) / PAIRS;
        best = i == 0 || ns < best ? ns : best;
    }
    return best;
}

static void pin(size_t cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0) {
        exit(1);
    }
}

enum { ONE_WAYS = 20000, STREAMED = 300000, STREAMS = 7 };
static _Alignas(CACHE_LINE) uint64_t ping, pong;
static double samples[ONE_WAYS];

static void *echo(void *unused)
{
    pin(1);
    for (uint64_t i = 1; i <= ONE_WAYS; i++) {
        while (load_acquire(&ping) != i) {
        }
        store_release(&ping, ONE_WAYS + i);
    }
    return unused;
}

static void *one_way_consumer(void *arg)
{
    pin(1);
    const struct subject *s = arg;
    for (uint64_t i = 0; i < ONE_WAYS; i++) {
        uint64_t sent = s->pull(s->queue);
        samples[i] = (double)(cpu_rdtsc() - sent);
        store_release(&pong, i + 1);
    }
    return NULL;
}

static void *stream_consumer(void *arg)
{
    pin(1);
    const struct subject *s = arg;
    for (uint64_t i = 0; i < STREAMED; i++) {
        if (s->pull(s->queue) != i) {
            exit(1);
        }
    }
    return NULL;
}

static double raw_round_trip(void)
{
    pthread_t other;
    ping = 0;
    pthread_create(&other, NULL, echo, NULL);
    for (uint64_t i = 1; i <= ONE_WAYS; i++) {
        uint64_t start = cpu_rdtsc();
        store_release(&ping, i);
        while (load_acquire(&ping) != ONE_WAYS + i) {
        }
        samples[i - 1] = (double)(cpu_rdtsc() - start);
    }
    pthread_join(other, NULL);
    qsort(samples, ONE_WAYS, sizeof(samples[0]), compare);
    return samples[ONE_WAYS / 2];
}

static double one_way(struct subject *s)
{
    pthread_t other;
    pong = 0;
    pthread_create(&other, NULL, one_way_consumer, s);
    for (uint64_t i = 0; i < ONE_WAYS; i++) {
        s->push(s->queue, cpu_rdtsc());
        while (load_acquire(&pong) != i + 1) {
        }
        for (uint64_t start = cpu_rdtsc(); cpu_rdtsc() - start < 400;) {
        }
    }
    pthread_join(other, NULL);
    qsort(samples, ONE_WAYS, sizeof(samples[0]), compare);
    return samples[ONE_WAYS / 2];
}

static double stream_mops(struct subject *s)
{
    double mops[STREAMS];
    for (int i = 0; i < STREAMS; i++) {
        pthread_t other;
        pthread_create(&other, NULL, stream_consumer, s);
        double start = now_ns();
        for (uint64_t n = 0; n < STREAMED; n++) {
            s->push(s->queue, n);
        }
        pthread_join(other, NULL);
        mops[i] = STREAMED * 1e3 / (now_ns() - start);
    }
    qsort(mops, STREAMS, sizeof(mops[0]), compare);
    return mops[STREAMS / 2];
}

static void *channel_new(size_t capacity, size_t item_bytes)
{
    struct channel *c = aligned_alloc(CACHE_LINE, sizeof(*c));
    size_t bytes = channel_bytes(capacity, item_bytes);
    if (channel_init(c, aligned_alloc(CACHE_LINE, bytes), bytes, capacity, item_bytes) != STATUS_OK) {
        exit(1);
    }
    return c;
}

static void measure(struct subject *s, size_t capacity, bool two_cpus)
{
    pin(0);
    printf("%-14s capacity %4zu  pair %6.2f ns  %4ld instructions", s->name, capacity, pair_ns(s),
           (steps(s, 300) - steps(s, 100)) / 200);
    if (two_cpus) {
        double before = raw_round_trip(), way = one_way(s), after = raw_round_trip();
        printf("  one way %.2f of raw (%.0f, %.0f cycles)", 2 * way / (before + after), before, after);
        printf("  stream %6.1f M/s", stream_mops(s));
    }
    putchar('\n');
    fflush(stdout);
}

#define MEASURE(size, capacity)                                                                                      \
    do {                                                                                                             \
        struct vyukov_##size *v = aligned_alloc(CACHE_LINE, sizeof(*v));                                             \
        vyukov_##size##_init(v, capacity);                                                                           \
        struct subject ours = {"channel " #size, channel_##size##_pairs, channel_##size##_push, channel_##size##_pull, \
                               channel_new(capacity, size)};                                                         \
        struct subject peer = {"vyukov " #size, vyukov_##size##_pairs, vyukov_##size##_push, vyukov_##size##_pull, v}; \
        measure(&peer, capacity, two_cpus);                                                                          \
        measure(&ours, capacity, two_cpus);                                                                          \
    } while (0)

int main(int argc, char **argv)
{
    bool two_cpus = argc > 1 && strcmp(argv[1], "two") == 0;
    MEASURE(8, 32);
    MEASURE(8, 1024);
    MEASURE(56, 32);
    MEASURE(64, 32);
    MEASURE(64, 1024);
    MEASURE(200, 32);
    struct subject odd = {"channel 8", channel_8_pairs, channel_8_push, channel_8_pull, channel_new(33, 8)};
    measure(&odd, 33, two_cpus);
    return 0;
}
