/* SPDX-License-Identifier: MIT
 * An index into a table whose length is a power of two, after the comparison that refuses a bad one. A CPU that guesses
 * the outcome of that comparison would still load outside the table (Spectre variant 1); the AND keeps it inside and
 * costs one instruction. The compiler, which knows that the AND changes nothing, must not know it. */
#pragma once
#include <stdint.h>

static inline uint64_t index_mask(uint64_t index, uint64_t mask)
{
    __asm__("" : "+r"(index));
    return index & mask;
}
