/* SPDX-License-Identifier: MIT
 * The channel alone on one thread: capacity exactly as asked, what full, empty and closed say, senders, drain,
 * counts, the inline wrappers against the engine and a plain model, a producer stopped in the middle of a send,
 * and a send from an interrupt (a signal) in the middle of others. Two CPUs are the matter of channel_threads.c. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "ipc/channel.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

struct item {
    uint64_t value;
};
struct large {
    uint64_t words[25];
};
CHANNEL_DEFINE(items, struct item)
CHANNEL_DEFINE(larges, struct large)

static struct channel c;

static void open_channel(size_t capacity, size_t item_bytes)
{
    size_t bytes = channel_bytes(capacity, item_bytes);
    void *storage = aligned_alloc(CACHE_LINE, bytes); /* exactly as much, so that ASan sees a step beyond it */
    cr_assert(eq(int, channel_init(&c, storage, bytes, capacity, item_bytes), STATUS_OK));
}

static void close_channel(void)
{
    cr_assert(channel_valid(&c));
    free(c.slots);
}

static enum status send(uint64_t value)
{
    return items_send(&c, &(struct item){value});
}

static void expect_sent(uint64_t value)
{
    cr_assert(eq(int, send(value), STATUS_OK));
}

static void expect_received(uint64_t value)
{
    struct item item = {~value};
    cr_assert(eq(int, items_try_recv(&c, &item), STATUS_OK));
    cr_assert(eq(u64, item.value, value));
}

static void expect_nothing(enum status why)
{
    struct item item = {77};
    cr_assert(eq(int, items_try_recv(&c, &item), why));
    cr_assert(eq(u64, item.value, 77));
    cr_assert(channel_is_empty(&c));
}

Test(channel, refuses_bad_arguments)
{
    static _Alignas(CACHE_LINE) unsigned char storage[4096];
    static const struct {
        size_t offset, bytes, capacity, item_bytes;
    } bad[] = {
        {0, sizeof(storage), 0, 8},
        {0, sizeof(storage), 8, 0},
        {0, sizeof(storage), 8, 12},
        {0, sizeof(storage), CHANNEL_CAPACITY_MAX + 1, 8},
        {0, sizeof(storage), SIZE_MAX, 8},
        {0, sizeof(storage), 8, CHANNEL_ITEM_BYTES_MAX + 8},
        {0, sizeof(storage), 8, SIZE_MAX - 7},
        {0, 8 * 64 - 1, 8, 8},
        {0, 8 * 64, 9, 8},
        {8, 1024, 8, 8},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct channel d, before;
        memset(&d, 0xa5, sizeof(d));
        before = d;
        void *at = storage + bad[i].offset;
        enum status status = channel_init(&d, at, bad[i].bytes, bad[i].capacity, bad[i].item_bytes);
        cr_assert(eq(int, status, STATUS_INVALID_ARGUMENT), "case %zu", i);
        cr_assert(memcmp(&d, &before, sizeof(d)) == 0, "case %zu touched the channel", i);
    }
    cr_assert(eq(int, channel_init(&c, NULL, 4096, 8, 8), STATUS_INVALID_ARGUMENT));
}

Test(channel, storage_is_whole_lines)
{
    cr_assert(eq(sz, channel_bytes(1, 8), 64));
    cr_assert(eq(sz, channel_bytes(1, 56), 64));
    cr_assert(eq(sz, channel_bytes(1, 64), 128));
    cr_assert(eq(sz, channel_bytes(1, 200), 256));
    cr_assert(eq(sz, channel_bytes(5, 8), 8 * 64));
    cr_assert(eq(sz, channel_bytes(CHANNEL_CAPACITY_DEFAULT, 56), 2048));
    cr_assert(eq(sz, channel_bytes(0, 8), 0));
}

Test(channel, holds_exactly_its_capacity)
{
    for (size_t capacity = 1; capacity <= 70; capacity++) {
        open_channel(capacity, sizeof(struct item));
        cr_assert(eq(sz, channel_capacity(&c), capacity));
        /* Odd shifts of the start, so that every lap and every slot sees the border. */
        for (uint64_t lap = 0; lap < 5; lap++) {
            for (uint64_t i = 0; i < capacity; i++) {
                cr_assert(eq(sz, channel_len(&c), i));
                expect_sent(lap * 1000 + i);
            }
            cr_assert(eq(int, send(99999), STATUS_RESOURCE_EXHAUSTED), "capacity %zu", capacity);
            cr_assert(eq(sz, channel_len(&c), capacity));
            cr_assert(channel_valid(&c));
            for (uint64_t i = 0; i < capacity; i++) {
                expect_received(lap * 1000 + i);
            }
            expect_nothing(STATUS_UNAVAILABLE);
            expect_sent(5);
            expect_received(5);
        }
        close_channel();
    }
}

Test(channel, one_place_freed_is_one_place)
{
    open_channel(3, sizeof(struct item));
    for (uint64_t i = 0; i < 3; i++) {
        expect_sent(i);
    }
    for (uint64_t i = 3; i < 1000; i++) {
        cr_assert(eq(int, send(i), STATUS_RESOURCE_EXHAUSTED));
        expect_received(i - 3);
        expect_sent(i);
    }
    close_channel();
}

Test(channel, a_refused_item_stays_and_is_counted)
{
    open_channel(2, sizeof(struct item));
    expect_sent(1);
    expect_sent(2);
    struct item third = {3};
    for (int i = 0; i < 4; i++) {
        cr_assert(eq(int, items_send(&c, &third), STATUS_RESOURCE_EXHAUSTED));
        cr_assert(eq(u64, third.value, 3));
    }
    expect_received(1);
    cr_assert(eq(int, items_send(&c, &third), STATUS_OK));
    struct channel_stats stats = channel_stats(&c);
    cr_assert(eq(u64, stats.sent, 3));
    cr_assert(eq(u64, stats.received, 1));
    cr_assert(eq(u64, stats.rejected, 4));
    cr_assert(eq(sz, stats.len, 2));
    cr_assert(eq(sz, stats.capacity, 2));
    expect_received(2);
    expect_received(3);
    close_channel();
}

Test(channel, last_sender_dropped_closes_after_the_queued)
{
    open_channel(5, sizeof(struct item));
    cr_assert(eq(int, channel_sender_clone(&c), STATUS_OK));
    for (uint64_t i = 0; i < 3; i++) {
        expect_sent(i);
    }
    channel_sender_drop(&c);
    cr_assert(not(channel_is_closed(&c)));
    channel_sender_drop(&c);
    cr_assert(channel_is_closed(&c));
    cr_assert(eq(int, channel_sender_clone(&c), STATUS_CANCELLED));
    for (uint64_t i = 0; i < 3; i++) {
        expect_received(i);
    }
    expect_nothing(STATUS_CANCELLED);
    close_channel();
}

Test(channel, close_drains_then_says_closed_while_senders_live)
{
    open_channel(4, sizeof(struct item));
    expect_sent(1);
    expect_sent(2);
    channel_close(&c);
    cr_assert(channel_is_closed(&c));
    cr_assert(eq(int, send(3), STATUS_CANCELLED));
    cr_assert(eq(int, channel_sender_clone(&c), STATUS_OK));
    cr_assert(eq(int, send(3), STATUS_CANCELLED));
    expect_received(1);
    expect_received(2);
    expect_nothing(STATUS_CANCELLED);
    channel_close(&c);
    channel_sender_drop(&c);
    channel_sender_drop(&c);
    expect_nothing(STATUS_CANCELLED);
    cr_assert(eq(u64, channel_stats(&c).sent, 2));
    close_channel();
}

Test(channel, closed_wins_over_full)
{
    open_channel(1, sizeof(struct item));
    expect_sent(1);
    channel_close(&c);
    cr_assert(eq(int, send(2), STATUS_CANCELLED));
    cr_assert(eq(u64, channel_stats(&c).rejected, 0));
    expect_received(1);
    cr_assert(eq(int, send(2), STATUS_CANCELLED));
    expect_nothing(STATUS_CANCELLED);
    close_channel();
}

/* What a producer does that was stopped between its claim and its publication. */
Test(channel, a_stalled_producer_is_not_skipped)
{
    open_channel(3, sizeof(struct item));
    struct channel_slot *slot = channel_slot_at(&c, c.tail, c.slot_lines);
    uint64_t claimed = c.tail;
    c.tail += CHANNEL_STEP;
    expect_sent(2);
    expect_nothing(STATUS_UNAVAILABLE);
    cr_assert(eq(sz, channel_len(&c), 2));
    expect_sent(3);
    cr_assert(eq(int, send(4), STATUS_RESOURCE_EXHAUSTED));
    channel_close(&c);
    expect_nothing(STATUS_UNAVAILABLE);
    memcpy(slot->item, &(uint64_t){1}, 8);
    slot->sequence = claimed + CHANNEL_MARK;
    for (uint64_t i = 1; i <= 3; i++) {
        expect_received(i);
    }
    expect_nothing(STATUS_CANCELLED);
    close_channel();
}

Test(channel, batch_takes_what_is_there)
{
    open_channel(7, sizeof(struct item));
    struct item got[10];
    size_t n = 99;
    cr_assert(eq(int, items_recv_batch(&c, got, 10, &n), STATUS_UNAVAILABLE));
    cr_assert(eq(sz, n, 0));
    for (uint64_t i = 0; i < 7; i++) {
        expect_sent(i);
    }
    cr_assert(eq(int, items_recv_batch(&c, got, 0, &n), STATUS_OK));
    cr_assert(eq(sz, n, 0));
    cr_assert(eq(int, items_recv_batch(&c, got, 4, &n), STATUS_OK));
    cr_assert(eq(sz, n, 4));
    cr_assert(eq(int, items_recv_batch(&c, got + 4, 6, &n), STATUS_OK));
    cr_assert(eq(sz, n, 3));
    for (uint64_t i = 0; i < 7; i++) {
        cr_assert(eq(u64, got[i].value, i));
    }
    channel_close(&c);
    cr_assert(eq(int, items_recv_batch(&c, got, 4, &n), STATUS_CANCELLED));
    close_channel();
}

static void take_and_send(void *context, const struct item *item)
{
    *(uint64_t *)context += item->value;
    (void)send(item->value);
}

Test(channel, drain_ends_though_each_item_sends_another)
{
    open_channel(8, sizeof(struct item));
    uint64_t sum = 0;
    size_t n = 99;
    cr_assert(eq(int, items_drain(&c, take_and_send, &sum, &n), STATUS_UNAVAILABLE));
    cr_assert(eq(sz, n, 0));
    for (uint64_t i = 1; i <= 5; i++) {
        expect_sent(i);
    }
    cr_assert(eq(int, items_drain(&c, take_and_send, &sum, &n), STATUS_OK));
    cr_assert(eq(sz, n, 5));
    cr_assert(eq(u64, sum, 15));
    cr_assert(eq(sz, channel_len(&c), 5));
    channel_close(&c);
    cr_assert(eq(int, items_drain(&c, take_and_send, &sum, &n), STATUS_OK));
    cr_assert(eq(int, items_drain(&c, take_and_send, &sum, &n), STATUS_CANCELLED));
    cr_assert(eq(u64, sum, 30));
    close_channel();
}

Test(channel, positions_may_wrap)
{
    open_channel(3, sizeof(struct item));
    uint64_t start = (uint64_t)0 - 20 * 4 * CHANNEL_STEP;
    c.tail = start;
    c.head = start + CHANNEL_MARK;
    for (uint64_t i = 0; i < 4; i++) {
        channel_slot_at(&c, start + i * CHANNEL_STEP, 1)->sequence = start + (i < 3 ? i : i - 4) * CHANNEL_STEP;
    }
    for (uint64_t i = 0; i < 200; i++) {
        for (uint64_t k = 0; k < 3; k++) {
            expect_sent(i + k);
        }
        cr_assert(eq(int, send(9), STATUS_RESOURCE_EXHAUSTED));
        for (uint64_t k = 0; k < 3; k++) {
            expect_received(i + k);
        }
        expect_nothing(STATUS_UNAVAILABLE);
    }
    cr_assert(lt(u64, c.tail, start));
    free(c.slots);
}

/* Fast path and engine, mixed at random, against counters: the queue holds sent - received consecutive numbers. */
Test(channel, wrappers_and_engine_agree_with_the_model)
{
    uint64_t random = 88172645463325252u;
    for (size_t capacity = 1; capacity <= 9; capacity++) {
        open_channel(capacity, sizeof(struct item));
        uint64_t sent = 0, received = 0, rejected = 0;
        for (int step = 0; step < 20000; step++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            struct item item = {sent};
            if (random & 1) {
                enum status status = random & 2 ? items_send(&c, &item) : channel_send(&c, &item);
                bool fits = sent - received < capacity;
                cr_assert(eq(int, status, fits ? STATUS_OK : STATUS_RESOURCE_EXHAUSTED));
                sent += fits;
                rejected += !fits;
                continue;
            }
            enum status status = random & 2 ? items_try_recv(&c, &item) : channel_try_recv(&c, &item);
            cr_assert(eq(int, status, sent != received ? STATUS_OK : STATUS_UNAVAILABLE));
            cr_assert(eq(u64, item.value, status == STATUS_OK ? received : sent));
            received += status == STATUS_OK;
            cr_assert(channel_valid(&c));
        }
        struct channel_stats stats = channel_stats(&c);
        cr_assert(stats.sent == sent && stats.received == received && stats.rejected == rejected);
        cr_assert(sent > 500 && rejected > 500);
        close_channel();
    }
}

Test(channel, large_items_arrive_whole)
{
    open_channel(3, sizeof(struct large));
    for (uint64_t round = 0; round < 50; round++) {
        struct large in[3], out;
        for (uint64_t i = 0; i < 3; i++) {
            memset(&in[i], (int)(round * 3 + i), sizeof(in[i]));
            in[i].words[24] = round;
            cr_assert(eq(int, larges_send(&c, &in[i]), STATUS_OK));
        }
        for (uint64_t i = 0; i < 3; i++) {
            cr_assert(eq(int, larges_try_recv(&c, &out), STATUS_OK));
            cr_assert(memcmp(&out, &in[i], sizeof(out)) == 0);
        }
    }
    close_channel();
}

Test(channel, words_lie_on_lines_of_their_own)
{
    open_channel(2, sizeof(struct item));
    cr_assert(eq(sz, (uintptr_t)&c % CACHE_LINE, 0));
    for (uint64_t i = 0; i < 2; i++) {
        cr_assert(eq(sz, (uintptr_t)channel_slot_at(&c, i * CHANNEL_STEP, 1) % CACHE_LINE, 0));
    }
    close_channel();
}

#define FROM_INTERRUPT ((uint64_t)1 << 63)
static volatile uint64_t interrupts_accepted;

static void interrupt(int signal)
{
    (void)signal;
    if (items_send(&c, &(struct item){FROM_INTERRUPT | interrupts_accepted}) == STATUS_OK) {
        interrupts_accepted++;
    }
}

/* The interrupt falls into sends, receives and what lies between; it must neither wait for them nor lose or reorder. */
Test(channel, an_interrupt_sends_in_the_middle_of_a_send, .timeout = 20)
{
    open_channel(3, sizeof(struct item));
    signal(SIGALRM, interrupt);
    struct itimerval every = {{0, 50}, {0, 50}};
    setitimer(ITIMER_REAL, &every, NULL);
    uint64_t sent = 0, received = 0, from_interrupt = 0;
    while (interrupts_accepted < 2000) {
        sent += send(sent) == STATUS_OK;
        sent += send(sent) == STATUS_OK;
        for (struct item item; items_try_recv(&c, &item) == STATUS_OK;) {
            uint64_t *next = item.value & FROM_INTERRUPT ? &from_interrupt : &received;
            cr_assert(eq(u64, item.value & ~FROM_INTERRUPT, *next));
            *next += 1;
        }
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    for (struct item item; items_try_recv(&c, &item) == STATUS_OK;) {
        *(item.value & FROM_INTERRUPT ? &from_interrupt : &received) += 1;
    }
    cr_assert(eq(u64, received, sent));
    cr_assert(eq(u64, from_interrupt, interrupts_accepted));
    close_channel();
}
