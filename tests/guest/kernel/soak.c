/* SPDX-License-Identifier: MIT
 * A soak: each run sends some hundred thousand messages from all other CPUs into one channel; the order of each sender
 * is looked at, and nothing is lost. The program that asks repeats it as often as `iterations=` says. */
#include "ipc/channel.h"
#include "tests/guest/kernel/kernel_test.h"

CHANNEL_DEFINE(words, uint64_t)

enum { EACH = 50000, CAPACITY = 256 };

static struct channel channel;
static _Alignas(CACHE_LINE) unsigned char storage[CAPACITY * CACHE_LINE];
static uint64_t next[CPU_MAX];

static void send_each(void)
{
    for (uint64_t i = 0; i < EACH;) {
        uint64_t word = (uint64_t)cpu_index() << 32 | i;
        if (words_send(&channel, &word) == STATUS_OK)
            i++;
        else
            cpu_pause();
    }
}

const char *test_soak(void)
{
    uint64_t word;
    MUST(words_init(&channel, storage, sizeof(storage), CAPACITY) == STATUS_OK);
    for (uint32_t cpu = 1; cpu < cpus(); cpu++) {
        next[cpu] = 0;
        MUST(partner_begin(cpu, send_each) == STATUS_OK);
    }
    for (uint64_t n = 0; n < (uint64_t)EACH * (cpus() - 1);) {
        if (words_try_recv(&channel, &word) != STATUS_OK)
            continue;
        MUST((word >> 32) < CPU_MAX && (uint32_t)word == next[word >> 32]);
        next[word >> 32]++;
        n++;
    }
    for (uint32_t cpu = 1; cpu < cpus(); cpu++)
        MUST(partner_end(cpu) == STATUS_OK);
    MUST(words_try_recv(&channel, &word) == STATUS_UNAVAILABLE && channel_valid(&channel));
    return NULL;
}
