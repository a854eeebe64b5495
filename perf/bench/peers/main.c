/* SPDX-License-Identifier: MIT
 * One queue, one size of message, one capacity, once: figures as `name value` lines for compare.py.
 *     PROGRAM CAPACITY                              instructions of a pair
 *     PROGRAM CAPACITY CONSUMER PRODUCER PRODUCER2  times, on these CPUs */
#define _GNU_SOURCE
#include "perf/bench/peers/harness.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAIRS 100000
#define PAIR_RUNS 9 /* each shorter than a time slice, so that most are left alone */

unsigned cpus[CPUS];

_Noreturn void die(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(1);
}

void cpu_pin(unsigned which)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpus[which], &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0) {
        die("cannot run on the chosen CPU");
    }
}

double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

pthread_t thread_start(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, arg) != 0) {
        die("cannot start a thread");
    }
    return thread;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

uint64_t percentile(uint64_t *values, uint64_t n, unsigned percent)
{
    qsort(values, n, sizeof(values[0]), compare);
    return values[n * percent / 100];
}

/* Picoseconds of a pair, the median of some runs. */
static uint64_t pair_ps(size_t capacity)
{
    struct subject *s = subject_make(capacity);
    uint64_t ps[PAIR_RUNS];
    for (int i = 0; i < PAIR_RUNS; i++) {
        double start = now_ns();
        if (subject_pairs(s, PAIRS) != PAIRS) {
            die("a send or receive failed with nobody else there");
        }
        ps[i] = (uint64_t)((now_ns() - start) * 1e3 / PAIRS);
    }
    return percentile(ps, PAIR_RUNS, 50);
}

/* Whole laps are counted, so that what a queue does once a lap, or once a block, has its share. */
static void instructions_print(size_t capacity)
{
    uint64_t laps = capacity < 256 ? 256 : capacity;
    uint64_t difference = steps_count(capacity, laps + 64) - steps_count(capacity, 64);
    printf("instructions %.2f\n", (double)difference / (double)laps);
}

static void times_print(size_t capacity)
{
    double start_ns = now_ns();
    uint64_t start_ticks = cpu_rdtsc();
    cpu_pin(PRODUCER_CPU);
    printf("pair_ns %.3f\n", (double)pair_ps(capacity) / 1e3);
    for (unsigned producers = 1; producers <= subject_producers_max; producers++) {
        printf("stream_mops_%u %.3f\n", producers, stream_mops(capacity, producers));
    }
    struct one_way way = one_way_measure(capacity);
    double ticks_per_ns = (double)(cpu_rdtsc() - start_ticks) / (now_ns() - start_ns);
    printf("one_way_p50_ns %.1f\n", (double)way.p50 / ticks_per_ns);
    printf("one_way_p99_ns %.1f\n", (double)way.p99 / ticks_per_ns);
    printf("bare_ns %.1f\n", (double)way.bare / ticks_per_ns);
    printf("raw_before_ns %.1f\n", (double)way.raw_before / ticks_per_ns);
    printf("raw_after_ns %.1f\n", (double)way.raw_after / ticks_per_ns);
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 2 + CPUS) {
        die("usage: PROGRAM CAPACITY [CONSUMER_CPU PRODUCER_CPU PRODUCER2_CPU]");
    }
    setlinebuf(stdout);
    size_t capacity = strtoul(argv[1], NULL, 10);
    for (int i = 2; i < argc; i++) {
        cpus[i - 2] = (unsigned)strtoul(argv[i], NULL, 10);
    }
    if (argc == 2) {
        instructions_print(capacity);
    } else {
        times_print(capacity);
    }
    return 0;
}
