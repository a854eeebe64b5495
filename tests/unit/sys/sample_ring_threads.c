/* SPDX-License-Identifier: MIT
 * A thread plays the NMIs, another the boot CPU. Each record says its number and has that many words of it: one that is
 * read before it is written, or overwritten before it is read, is no such record, and to TSan a race. */
#include "sys/sample_ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include "sys/abi/profile.h"

#define RECORDS 1000000u
#define WORDS 256

static uint32_t words[WORDS];
static struct sample_ring ring;
static uint32_t over; /* [a] */

static void *play_nmis(void *argument)
{
    (void)argument;
    for (uint32_t number = 0; number < RECORDS; number++) {
        uint32_t record[PROFILE_SAMPLE_WORDS_MAX], n = 6 + number % 60;
        record[0] = PROFILE_HEAD(PROFILE_SAMPLE, n, 0, 0);
        for (uint32_t i = 1; i < n; i++)
            record[i] = number;
        while (!sample_ring_put(&ring, record, n) && number % 2)
            sched_yield(); /* every other one is let go */
    }
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void check(const uint32_t *record, size_t n, uint32_t last)
{
    for (size_t i = 1; i < n; i++)
        if (record[i] != record[1] || n != 6 + record[1] % 60 || (last != UINT32_MAX && record[1] <= last)) {
            fprintf(stderr, "a record of %zu words is torn or out of order: %u, %u, last %u\n", n, record[1], record[i],
                    last);
            exit(1);
        }
}

int main(void)
{
    pthread_t nmis;
    uint32_t record[PROFILE_SAMPLE_WORDS_MAX], last = UINT32_MAX;
    uint64_t got = 0;
    sample_ring_init(&ring, words, WORDS);
    if (pthread_create(&nmis, NULL, play_nmis, NULL))
        return 1;
    for (bool ended = false;;) {
        size_t n = sample_ring_take(&ring, record, PROFILE_SAMPLE_WORDS_MAX);
        if (!n && ended)
            break;
        if (!n) {
            ended = __atomic_load_n(&over, __ATOMIC_ACQUIRE);
            sched_yield();
            continue;
        }
        check(record, n, last);
        last = record[1];
        got++;
    }
    pthread_join(nmis, NULL);
    if (got != ring.taken - ring.dropped || got < RECORDS / 2) {
        fprintf(stderr, "%lu of %lu records came, %lu were dropped\n", got, ring.taken, ring.dropped);
        return 1;
    }
    return 0;
}
