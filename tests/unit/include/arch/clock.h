/* SPDX-License-Identifier: MIT
 * Host stand-in: the test says what time it is, and how long a tick. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct clock {
    uint64_t tsc_khz;
    const char *source;
    bool emulated_tsc;
};

extern struct clock clock_state;

uint64_t clock_now_ns(void);

uint64_t clock_ticks_to_ns(uint64_t ticks);
