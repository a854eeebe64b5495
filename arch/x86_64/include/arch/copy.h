/* SPDX-License-Identifier: MIT
 * Copying by the widest moves that need no vector registers. */
#pragma once
#include <stdint.h>

#define COPY_WORDS_MAX 64 /* up to here single moves beat the start-up cost of REP MOVSQ */

static inline void copy_word(char *to, const char *from)
{
    uint64_t w;
    __builtin_memcpy(&w, from, 8);
    __builtin_memcpy(to, &w, 8);
}

static inline void copy_short(char *to, const char *from, uint64_t n)
{
    if (n >= 4) {
        uint32_t first, last;
        __builtin_memcpy(&first, from, 4);
        __builtin_memcpy(&last, from + n - 4, 4);
        __builtin_memcpy(to, &first, 4);
        __builtin_memcpy(to + n - 4, &last, 4);
        return;
    }
    char middle = from[n / 2], last = from[n - 1];
    to[0] = from[0];
    to[n / 2] = middle;
    to[n - 1] = last;
}

/* n > 0 */
static inline void arch_copy(char *to, const char *from, uint64_t n)
{
    if (n < 8) {
        copy_short(to, from, n);
        return;
    }
    uint64_t last;
    __builtin_memcpy(&last, from + n - 8, 8);
    char *end = to + n - 8;
    if (n <= COPY_WORDS_MAX) {
        for (; to < end; to += 8, from += 8)
            copy_word(to, from);
    } else {
        uint64_t words = (n - 1) / 8;
        __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
    }
    __builtin_memcpy(end, &last, 8);
}
