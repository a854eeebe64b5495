/* SPDX-License-Identifier: MIT
 * What a sleeper of the deadline test reports to the judge. */
#pragma once
#include "tests/guest/check.h"

struct deadline_report {
    uint64_t sleeps;
    uint64_t least_late_ns;
    uint64_t most_late_ns;
};
#define DEADLINE_SLEEPS 60
