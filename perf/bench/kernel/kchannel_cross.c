/* SPDX-License-Identifier: MIT
 * What does a message between two CPUs cost, there and back, by two kernel channels that both poll: no interrupt,
 * nobody sleeps. One way is half of it. */
#include "ipc/channel.h"
#include "perf/bench/kernel/measure.h"
#include "perf/bench/kernel/partner.h"

CHANNEL_DEFINE(word_channel, uint64_t)

enum { PATIENCE = 100000000 }; /* looks, of some ten cycles at least */

static struct channel there, back;
static _Alignas(CACHE_LINE) unsigned char storage[2][CHANNEL_CAPACITY_DEFAULT * CACHE_LINE];
static uint64_t rounds, failed;

/* Bounded by patience in looks: the clock is not read in the loop that is measured. */
static bool receive(struct channel *c, uint64_t *value)
{
    for (uint64_t looks = 0; looks < PATIENCE; looks++) {
        if (word_channel_try_recv(c, value) == STATUS_OK)
            return true;
        cpu_pause();
    }
    failed = 1;
    return false;
}

static void echo(void)
{
    uint64_t value;
    for (uint64_t i = 0; i < rounds && receive(&there, &value); i++)
        (void)word_channel_send(&back, &value);
}

static void round_trip(void *argument)
{
    uint64_t value = (uint64_t)argument;
    (void)word_channel_send(&there, &value);
    (void)receive(&back, &value);
}

enum status measure_channel_cross(uint64_t *ticks, size_t count)
{
    enum status s = word_channel_init(&there, storage[0], sizeof(storage[0]), CHANNEL_CAPACITY_DEFAULT);
    if (s == STATUS_OK)
        s = word_channel_init(&back, storage[1], sizeof(storage[1]), CHANNEL_CAPACITY_DEFAULT);
    rounds = count;
    failed = 0;
    if (s == STATUS_OK)
        s = partner_begin(1, echo);
    if (s == STATUS_OK)
        measure_loop(ticks, count, round_trip, NULL);
    if (s == STATUS_OK)
        s = partner_end(1); /* it has both channels until then */
    return s == STATUS_OK && failed ? STATUS_DEADLINE_EXCEEDED : s;
}
