/* SPDX-License-Identifier: MIT
 * The channel under load, as the release kernel is made: eight producers of a million items each, and beside them a
 * device that interrupts producers and consumer (a signal) in the middle of whatever they do, to send from there.
 * Nothing is lost, doubled or reordered within a producer or within the interrupts of one thread, and no interrupt
 * waits. Not under ThreadSanitizer, which takes several times as long and defers signals; channel_threads.c is. Exit
 * status 0 if all held; the first broken rule is printed and ends the program with 1. */
#include "ipc/channel.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PRODUCERS = 8, THREADS, CONSUMER = PRODUCERS, ITEMS = 1000000, SOURCES = 2 * THREADS };

/* Sources below THREADS are the threads' own sends; the rest those of interrupts in them. */
struct item {
    uint32_t source;
    uint32_t number;
};
CHANNEL_DEFINE(items, struct item)

static struct channel c;
static _Alignas(CACHE_LINE) unsigned char slots[CHANNEL_CAPACITY_DEFAULT * CACHE_LINE];
static pthread_t threads[THREADS];
static uint32_t accepted[SOURCES]; /* each written by one thread, read when it has ended */
static _Thread_local uint32_t self;
static bool finished;

static void expect(bool holds, const char *rule)
{
    if (!holds) {
        fprintf(stderr, "channel_flood_threads: broken: %s\n", rule);
        exit(1);
    }
}

static void interrupt(int signal)
{
    (void)signal;
    uint32_t source = THREADS + self;
    accepted[source] += items_send(&c, &(struct item){source, accepted[source]}) == STATUS_OK;
}

static void *produce(void *arg)
{
    self = *(const uint32_t *)arg;
    while (accepted[self] < ITEMS) {
        enum status status = items_send(&c, &(struct item){self, accepted[self]});
        accepted[self] += status == STATUS_OK;
        if (status != STATUS_OK) {
            expect(status == STATUS_RESOURCE_EXHAUSTED, "a send says OK or full while there are senders");
            sched_yield();
        }
    }
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* the interrupts of this CPU are senders too, and over */
    channel_sender_drop(&c);
    while (!load_acquire(&finished)) {
        usleep(1000);
    }
    return NULL;
}

static void *device(void *arg)
{
    (void)arg;
    for (uint32_t i = 0; !load_acquire(&finished); i++) {
        pthread_kill(threads[i % THREADS], SIGUSR1);
        usleep(20);
    }
    return NULL;
}

static void consume(uint32_t *received)
{
    for (;;) {
        struct item item;
        enum status status = items_try_recv(&c, &item);
        if (status == STATUS_CANCELLED) {
            return;
        }
        if (status != STATUS_OK) {
            expect(status == STATUS_UNAVAILABLE, "a receive says OK, empty or closed");
            sched_yield();
            continue;
        }
        expect(item.source < SOURCES && item.number == received[item.source], "each source's order is kept");
        received[item.source]++;
    }
}

int main(void)
{
    static uint32_t received[SOURCES], id[PRODUCERS];
    uint32_t interrupts = 0;
    pthread_t device_thread;
    expect(items_init(&c, slots, sizeof(slots), CHANNEL_CAPACITY_DEFAULT) == STATUS_OK, "a channel is made");
    signal(SIGUSR1, interrupt);
    self = CONSUMER;
    threads[CONSUMER] = pthread_self();
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        id[i] = i;
        expect(i == 0 || channel_sender_clone(&c) == STATUS_OK, "a sender is cloned");
        pthread_create(&threads[i], NULL, produce, &id[i]);
    }
    pthread_create(&device_thread, NULL, device, NULL);
    consume(received);
    store_release(&finished, true);
    pthread_join(device_thread, NULL);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (uint32_t i = 0; i < SOURCES; i++) {
        expect(received[i] == accepted[i], "what was accepted is received, and nothing else");
        interrupts += i < THREADS ? 0 : accepted[i];
    }
    expect(channel_valid(&c), "a channel at rest is valid");
    printf("channel_flood_threads: ok, %d items of producers, %u of interrupts\n", PRODUCERS * ITEMS, interrupts);
    return 0;
}
