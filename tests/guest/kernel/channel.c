/* SPDX-License-Identifier: MIT
 * A channel's contract on one CPU, for capacities of which some are no power of two; then senders on all others at
 * once, to the last item, and against a close. */
#include "ipc/channel.h"
#include "tests/guest/kernel/kernel_test.h"

struct item {
    uint64_t from, number;
};
CHANNEL_DEFINE(items, struct item)

enum { CAPACITY_MOST = 64, EACH = 3000 };

static struct channel channel;
static _Alignas(CACHE_LINE) unsigned char storage[CAPACITY_MOST * CACHE_LINE];

static const char *fill_and_empty(uint64_t capacity)
{
    struct item item = {0};
    MUST(items_init(&channel, storage, sizeof(storage), capacity) == STATUS_OK);
    MUST(channel_capacity(&channel) == capacity);
    for (uint64_t i = 0; i < capacity; i++) {
        item.number = i;
        MUST(items_send(&channel, &item) == STATUS_OK);
    }
    item.number = 99;
    MUST(items_send(&channel, &item) == STATUS_RESOURCE_EXHAUSTED && item.number == 99);
    MUST(channel_stats(&channel).rejected == 1 && channel_len(&channel) == capacity);
    for (uint64_t i = 0; i < capacity; i++)
        MUST(items_try_recv(&channel, &item) == STATUS_OK && item.number == i);
    MUST(items_try_recv(&channel, &item) == STATUS_UNAVAILABLE);
    MUST(channel_valid(&channel));
    return NULL;
}

/* The last sender goes, or the receiver closes: what was accepted is received, then it says so for ever. */
static const char *end_with_three(void (*end)(struct channel *c))
{
    struct item item = {0};
    MUST(items_init(&channel, storage, sizeof(storage), 5) == STATUS_OK);
    for (item.number = 0; item.number < 3; item.number++)
        MUST(items_send(&channel, &item) == STATUS_OK);
    end(&channel);
    MUST(channel_is_closed(&channel) && items_send(&channel, &item) == STATUS_CANCELLED);
    for (uint64_t i = 0; i < 3; i++)
        MUST(items_try_recv(&channel, &item) == STATUS_OK && item.number == i);
    MUST(items_try_recv(&channel, &item) == STATUS_CANCELLED && items_try_recv(&channel, &item) == STATUS_CANCELLED);
    return NULL;
}

const char *test_channel(void)
{
    static const uint64_t capacities[] = {1, 2, 3, 7, 32, 33, CAPACITY_MOST};
    const char *broken = NULL;
    MUST(items_init(&channel, storage, sizeof(storage), 0) == STATUS_INVALID_ARGUMENT);
    for (size_t i = 0; !broken && i < sizeof(capacities) / sizeof(capacities[0]); i++)
        broken = fill_and_empty(capacities[i]);
    if (!broken)
        broken = end_with_three(channel_close);
    return broken ? broken : end_with_three(channel_sender_drop);
}

static uint64_t closed_after[CPU_MAX]; /* how many sends said OK before one said CANCELLED */
static uint64_t next[CPU_MAX];

static void send_each(void)
{
    struct item item = {cpu_index(), 0};
    while (item.number < EACH)
        if (items_send(&channel, &item) == STATUS_OK)
            item.number++;
        else
            cpu_pause();
}

static void send_until_closed(void)
{
    struct item item = {cpu_index(), 0};
    enum status s = STATUS_OK;
    while ((s = items_send(&channel, &item)) != STATUS_CANCELLED)
        item.number += s == STATUS_OK;
    closed_after[cpu_index()] = item.number;
}

/* Receives in order, each sender's own, until `all` have come or, if it is 0, the channel says that it is over. */
static const char *receive(uint64_t all)
{
    struct item item;
    for (uint64_t n = 0; !all || n < all;) {
        enum status s = items_try_recv(&channel, &item);
        if (s == STATUS_CANCELLED)
            return NULL;
        if (s == STATUS_UNAVAILABLE)
            continue;
        MUST(item.from < CPU_MAX && item.number == next[item.from]);
        next[item.from]++;
        n++;
        if (!all && n == EACH)
            channel_close(&channel);
    }
    return NULL;
}

static const char *with_others(void (*send)(void), uint64_t all)
{
    MUST(items_init(&channel, storage, sizeof(storage), 33) == STATUS_OK);
    for (uint32_t cpu = 1; cpu < cpus(); cpu++) {
        next[cpu] = 0;
        MUST(partner_begin(cpu, send) == STATUS_OK);
    }
    const char *broken = receive(all);
    for (uint32_t cpu = 1; cpu < cpus(); cpu++)
        MUST(partner_end(cpu) == STATUS_OK);
    return broken;
}

const char *test_channel_between_cpus(void)
{
    if (cpus() == 1)
        return NULL;
    const char *broken = with_others(send_each, (uint64_t)EACH * (cpus() - 1));
    if (!broken)
        broken = with_others(send_until_closed, 0);
    for (uint32_t cpu = 1; !broken && cpu < cpus(); cpu++)
        MUST(next[cpu] == closed_after[cpu]); /* said OK: received; said CANCELLED: not */
    return broken;
}
