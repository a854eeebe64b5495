/* SPDX-License-Identifier: MIT
 * What the example calls of sys/syscall/examples.c take beside plain values. */
#ifndef TERN_ABI_EXAMPLES_H
#define TERN_ABI_EXAMPLES_H
#include <stdint.h>

/* `sum`: the input buffer. */
struct sum_request {
    uint64_t address; /* of `count` values, uint64_t, in memory of the process that may be read; aligned or not */
    uint64_t count;
};
#define SUM_VALUES_MAX 512

#endif
