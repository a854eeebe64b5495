/* SPDX-License-Identifier: MIT
 * What the handler of the fault_cross test and its doomed initiators agree on. */
#pragma once
#include "tests/guest/check.h"

/* The answer to a doomed initiator's first request. */
struct doom {
    uint64_t patience_ns; /* how long it waits for the answer to its second */
    uint64_t address;     /* then it writes there; 0: it exits */
};
