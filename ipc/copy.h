/* SPDX-License-Identifier: MIT
 * Copies a message. Short ones by a few word moves, the rest by whole words with REP MOVSQ and an overlapping last
 * word, so that no length takes a byte loop. Reads and writes nothing outside [0, n). Source and destination do not
 * overlap, or are the same process's own buffers, whose contents are its own business. Any context. */
#pragma once
#include <arch/copy.h>
#include <stdint.h>

static inline __attribute__((always_inline)) void message_copy(char *to, const char *from, uint64_t n)
{
    if (n)
        arch_copy(to, from, n);
}
