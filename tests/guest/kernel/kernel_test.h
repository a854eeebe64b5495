/* SPDX-License-Identifier: MIT
 * Tests of what only the kernel can do: channels, oneshots, bus and router on the CPUs that there are. They are part of
 * the debug kernel and run inside debug_measure, by the name "test.N", interrupts off; other CPUs are asked by
 * partner.h. A test says what does not hold, or NULL. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "perf/bench/kernel/partner.h"
#include "sched/inbox.h"
#include "sys/abi/status.h"

#include <arch/atomic.h>
#include <arch/cpu.h>
#include <arch/percpu.h>

#define TEXT(x) #x
#define LINE_TEXT(x) TEXT(x)
#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return __FILE__ ":" LINE_TEXT(__LINE__) ": " #condition;                                                   \
    } while (0)

/* CPUs that run. */
static inline uint32_t cpus(void)
{
    uint32_t n = 1;
    while (n < CPU_MAX && percpu_offset(n))
        n++;
    return n;
}

/* Lets this CPU do what it has been sent, as it would on the way out of the call. */
static inline void look(void)
{
    while (!inbox_is_empty())
        inbox_run();
}

const char *test_examples(void);
const char *test_channel(void);
const char *test_channel_between_cpus(void);
const char *test_oneshot(void);
const char *test_bus(void);
const char *test_bus_between_cpus(void);
const char *test_router(void);
const char *test_router_between_cpus(void);
const char *test_soak(void);
