/* SPDX-License-Identifier: MIT
 * Benches of what only the kernel can do: its channels, its bus, its router. They run inside a system call, with
 * interrupts off, a few samples at a time, and hand raw time stamps to the process that asked, which records and
 * exports them as those of any other bench (perf/bench/README.md). A body is one operation between two ordered reads;
 * what the reads cost is the measure "empty", to be subtracted. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/abi/status.h"

#include <arch/atomic.h>
#include <arch/cpu.h>

#define MEASURE_SAMPLES_MAX 64 /* in one call: bounds the time with interrupts off */

/* Fills ticks[0 .. count - 1]. FAILED_PRECONDITION: it needs another CPU, which does not run. */
struct measure {
    const char *name;
    enum status (*run)(uint64_t *ticks, size_t count);
};

/* A test of the debug kernel (tests/guest/kernel/); NOT_FOUND: there is no such one, or no tests in this kernel. */
enum status measure_test(uint64_t number);

/* A measure, or the test N by the name "test.N", which leaves ticks alone. NOT_FOUND. */
enum status measure_run(const char *name, size_t n, uint64_t *ticks, size_t count);

/* Inlined with its body, so that no call through a pointer is measured. */
static inline __attribute__((always_inline)) void measure_loop(uint64_t *ticks, size_t count,
                                                               void (*body)(void *argument), void *argument)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t before = cpu_rdtsc_ordered();
        body(argument);
        compiler_barrier();
        ticks[i] = cpu_rdtsc_ordered() - before;
    }
}

/* The measures, a file for each question. */
enum status measure_channel(uint64_t *ticks, size_t count);
enum status measure_channel_cross(uint64_t *ticks, size_t count);
enum status measure_ipi(uint64_t *ticks, size_t count);
enum status measure_oneshot(uint64_t *ticks, size_t count);
enum status measure_bus_0(uint64_t *ticks, size_t count);
enum status measure_bus_1(uint64_t *ticks, size_t count);
enum status measure_bus_8(uint64_t *ticks, size_t count);
enum status measure_bus_64(uint64_t *ticks, size_t count);
enum status measure_bus_cross(uint64_t *ticks, size_t count);
enum status measure_router(uint64_t *ticks, size_t count);
enum status measure_router_cross(uint64_t *ticks, size_t count);
