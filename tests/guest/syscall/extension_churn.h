/* SPDX-License-Identifier: MIT
 * What the callers of the extension_churn test tell about the calls that they have made so far. */
#pragma once
#include "tests/guest/check.h"

#define CHURN_NUMBER 42

struct churn_report {
    uint64_t calls;    /* of which some are */
    uint64_t answered; /* with the right sum, and all others UNIMPLEMENTED */
};
