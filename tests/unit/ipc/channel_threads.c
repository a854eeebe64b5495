/* SPDX-License-Identifier: MIT
 * The channel with real threads as CPUs, under ThreadSanitizer: order per producer, no loss and no duplicate for
 * every item size and capacity, close and the last sender's drop against running sends, and outsiders that read
 * the counts meanwhile. Exit status 0 if all held; the first broken rule is printed and ends the program with 1. */
#include "ipc/channel.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRODUCERS = 8 };

struct words1 {
    uint64_t w[1];
};
struct words7 {
    uint64_t w[7];
};
struct words8 {
    uint64_t w[8];
};
struct words25 {
    uint64_t w[25];
};

/* One run: what each producer sent and how it ended. Item word 0 = producer << 32 | number; the other words repeat
 * it. */
struct run {
    struct channel c;
    struct producer {
        _Alignas(CACHE_LINE) struct run *run;
        uint32_t id;
        uint32_t accepted;
        uint32_t wanted; /* 0 = until closed */
        pthread_t thread;
    } producers[PRODUCERS];
    enum status (*send)(struct channel *c, uint64_t value);
    enum status (*recv)(struct channel *c, uint64_t *value);
    bool finished;
};

static void expect(bool holds, const char *rule)
{
    if (!holds) {
        fprintf(stderr, "channel_threads: broken: %s\n", rule);
        exit(1);
    }
}

#define SIZE_DEFINE(name, type)                                                        \
    CHANNEL_DEFINE(name, struct type)                                                  \
    static enum status name##_send_value(struct channel *c, uint64_t value)            \
    {                                                                                  \
        struct type item;                                                              \
        for (size_t i = 0; i < sizeof(item) / 8; i++) {                                \
            item.w[i] = value;                                                         \
        }                                                                              \
        return name##_send(c, &item);                                                  \
    }                                                                                  \
    static enum status name##_recv_value(struct channel *c, uint64_t *value)           \
    {                                                                                  \
        struct type item;                                                              \
        enum status status = name##_try_recv(c, &item);                                \
        if (status == STATUS_OK) {                                                     \
            for (size_t i = 0; i < sizeof(item) / 8; i++) {                            \
                expect(item.w[i] == item.w[0], "an item arrives whole");               \
            }                                                                          \
            *value = item.w[0];                                                        \
        }                                                                              \
        return status;                                                                 \
    }
SIZE_DEFINE(c8, words1)
SIZE_DEFINE(c56, words7)
SIZE_DEFINE(c64, words8)
SIZE_DEFINE(c200, words25)

static const struct size {
    size_t bytes;
    enum status (*send)(struct channel *c, uint64_t value);
    enum status (*recv)(struct channel *c, uint64_t *value);
} sizes[] = {
    {8, c8_send_value, c8_recv_value},
    {56, c56_send_value, c56_recv_value},
    {64, c64_send_value, c64_recv_value},
    {200, c200_send_value, c200_recv_value},
};

static void *produce(void *arg)
{
    struct producer *p = arg;
    struct channel *c = &p->run->c;
    while (p->wanted == 0 || p->accepted < p->wanted) {
        enum status status = p->run->send(c, (uint64_t)p->id << 32 | p->accepted);
        if (status == STATUS_CANCELLED) {
            expect(channel_is_closed(c), "a send says closed only when closed");
            break;
        }
        if (status == STATUS_OK) {
            p->accepted++;
        } else {
            expect(status == STATUS_RESOURCE_EXHAUSTED, "a send says OK, full or closed");
            sched_yield();
        }
    }
    channel_sender_drop(c);
    return NULL;
}

static void *watch(void *arg)
{
    struct run *run = arg;
    while (!load_acquire(&run->finished)) {
        struct channel_stats stats = channel_stats(&run->c);
        expect(stats.received <= stats.sent, "nothing is received before it is sent");
        expect(stats.len <= stats.capacity, "the length is at most the capacity");
        sched_yield();
    }
    return NULL;
}

/* Receives until closed; returns how many. Closes itself after `close_after` items, if that is not 0. */
static uint64_t consume(struct run *run, uint64_t close_after)
{
    uint32_t next[PRODUCERS] = {0};
    uint64_t received = 0;
    for (;;) {
        uint64_t value;
        enum status status = run->recv(&run->c, &value);
        if (status == STATUS_CANCELLED) {
            break;
        }
        if (status != STATUS_OK) {
            expect(status == STATUS_UNAVAILABLE, "a receive says OK, empty or closed");
            sched_yield();
            continue;
        }
        expect(value >> 32 < PRODUCERS && (uint32_t)value == next[value >> 32], "each producer's order is kept");
        next[value >> 32]++;
        if (++received == close_after) {
            channel_close(&run->c);
        }
    }
    for (size_t i = 0; i < PRODUCERS; i++) {
        pthread_join(run->producers[i].thread, NULL);
        expect(next[i] == run->producers[i].accepted, "what was accepted is received, and nothing else");
    }
    expect(run->recv(&run->c, &received) == STATUS_CANCELLED, "closed is for ever");
    return received;
}

static void start(struct run *run, const struct size *size, size_t capacity, uint32_t wanted)
{
    size_t bytes = channel_bytes(capacity, size->bytes);
    void *storage = aligned_alloc(CACHE_LINE, bytes);
    memset(run, 0, sizeof(*run));
    expect(channel_init(&run->c, storage, bytes, capacity, size->bytes) == STATUS_OK, "a channel is made");
    run->send = size->send;
    run->recv = size->recv;
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        expect(i == 0 || channel_sender_clone(&run->c) == STATUS_OK, "a sender is cloned");
        run->producers[i] = (struct producer){.run = run, .id = i, .wanted = wanted};
    }
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        pthread_create(&run->producers[i].thread, NULL, produce, &run->producers[i]);
    }
}

static void finish(struct run *run)
{
    struct channel_stats stats = channel_stats(&run->c);
    uint64_t accepted = 0;
    for (size_t i = 0; i < PRODUCERS; i++) {
        accepted += run->producers[i].accepted;
    }
    expect(stats.sent == accepted && stats.received == accepted, "the counts are those of what happened");
    expect(channel_valid(&run->c), "a channel at rest is valid");
    free(run->c.slots);
}

static struct run the_run;

/* All producers send what they want and drop: the consumer sees everything, then closed. */
static void to_the_end(const struct size *size, size_t capacity, uint32_t wanted)
{
    struct run *run = &the_run;
    pthread_t watcher;
    start(run, size, capacity, wanted);
    pthread_create(&watcher, NULL, watch, run);
    (void)consume(run, 0);
    store_release(&run->finished, true);
    pthread_join(watcher, NULL);
    for (size_t i = 0; i < PRODUCERS; i++) {
        expect(run->producers[i].accepted == wanted, "nobody is closed out while a sender lives");
    }
    finish(run);
}

static void *close_it(void *arg)
{
    struct run *run = arg;
    while (channel_stats(&run->c).sent < 50) {
        sched_yield();
    }
    channel_close(&run->c);
    return NULL;
}

/* Closed from a third thread, or by the consumer, while all send without end. */
static void closed_on_the_way(const struct size *size, size_t capacity, bool by_consumer)
{
    struct run *run = &the_run;
    pthread_t closer;
    start(run, size, capacity, 0);
    if (!by_consumer) {
        pthread_create(&closer, NULL, close_it, run);
    }
    (void)consume(run, by_consumer ? 60 : 0);
    if (!by_consumer) {
        pthread_join(closer, NULL);
    }
    finish(run);
}

int main(void)
{
    static const size_t capacities[] = {1, 3, 32};
    to_the_end(&sizes[0], CHANNEL_CAPACITY_DEFAULT, 200000);
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        for (size_t k = 0; k < sizeof(capacities) / sizeof(capacities[0]); k++) {
            to_the_end(&sizes[s], capacities[k], 1000);
            for (int i = 0; i < 8; i++) {
                closed_on_the_way(&sizes[s], capacities[k], i % 2);
            }
        }
    }
    puts("channel_threads: ok");
    return 0;
}
