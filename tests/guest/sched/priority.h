/* SPDX-License-Identifier: MIT
 * What the judge of the priority test orders from a spinner, and what it hears back. */
#pragma once
#include "tests/guest/check.h"

struct spin_order {
    uint64_t stop_ns;
};

struct spin_report {
    uint64_t answered_ns; /* when the spinner ran again after it had answered the order */
    uint64_t ran_ns;      /* of the time until stop_ns, as far as it was not off the CPU */
    uint64_t slices;      /* times it was put on the CPU */
};

#define SPIN_NS (150 * MS)
#define SPIN_GAP_NS (300 * US) /* a clock step longer than this: off the CPU (or the host took the virtual CPU away)   \
                                */
#define SPIN_SHARE_NS (3 * MS) /* far below a third, for busy hosts; without turns the last ones would get nothing */
#define JUDGE_BUSY_NS (1 * MS)
