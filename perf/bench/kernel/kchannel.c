/* SPDX-License-Identifier: MIT
 * What does a message in the kernel cost: 8 bytes into a channel of 32 and out again, on one CPU. */
#include "ipc/channel.h"
#include "perf/bench/kernel/measure.h"

struct word {
    uint64_t value;
};
CHANNEL_DEFINE(word_channel, struct word)

static struct channel channel;
static _Alignas(CACHE_LINE) unsigned char storage[CHANNEL_CAPACITY_DEFAULT * CACHE_LINE];

static void send_recv(void *argument)
{
    struct word w = {(uint64_t)argument};
    (void)word_channel_send(&channel, &w);
    (void)word_channel_try_recv(&channel, &w);
}

enum status measure_channel(uint64_t *ticks, size_t count)
{
    struct word w;
    enum status s = word_channel_init(&channel, storage, sizeof(storage), CHANNEL_CAPACITY_DEFAULT);
    if (s != STATUS_OK)
        return s;
    measure_loop(ticks, count, send_recv, NULL);
    return word_channel_try_recv(&channel, &w) == STATUS_UNAVAILABLE ? STATUS_OK : STATUS_INTERNAL;
}
