/* SPDX-License-Identifier: MIT
 * Host stand-in. */
#pragma once
#include <stdint.h>

static inline uint64_t index_mask(uint64_t index, uint64_t mask)
{
    return index & mask;
}
