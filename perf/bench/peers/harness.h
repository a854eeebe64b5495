/* SPDX-License-Identifier: MIT
 * The parts of one program: each measures one thing of the queue that it is linked with. Times are of this host. */
#pragma once
#include "perf/bench/peers/subject.h"

#include <arch/atomic.h>
#include <arch/cpu.h>
#include <pthread.h>

enum { CONSUMER_CPU, PRODUCER_CPU, SECOND_PRODUCER_CPU, CPUS };

extern unsigned cpus[CPUS];

/* Ends the program with a line that says why. */
_Noreturn void die(const char *why);

/* This thread runs on cpus[which] only. */
void cpu_pin(unsigned which);

pthread_t thread_start(void *(*run)(void *), void *arg);

double now_ns(void);

/* The value below which `percent` of the n values lie; sorts them. */
uint64_t percentile(uint64_t *values, uint64_t n, unsigned percent);

/* User-mode instructions of n pairs, the call of subject_pairs included; the queue is as after some laps. */
uint64_t steps_count(size_t capacity, uint64_t n);

/* Million messages per second from `producers` threads to one. */
double stream_mops(size_t capacity, uint64_t producers);

struct one_way {
    uint64_t bare;                  /* ticks, median, of a stamp in a cache line: no queue */
    uint64_t p50, p99;              /* ticks */
    uint64_t raw_before, raw_after; /* ticks, median of a cache line's way to the other CPU and back */
};

struct one_way one_way_measure(size_t capacity);
