/* SPDX-License-Identifier: MIT
 * Copying by the widest moves that need no vector registers. Lengths up to 64 take two overlapping halves of whole words, so
 * that there is neither a byte loop nor a loop at all; beyond that REP MOVSQ, whose start-up then pays. */
#pragma once
#include <stdint.h>

struct copy_2 {
    uint64_t word[2];
};
struct copy_4 {
    uint64_t word[4];
};

/* First and last `type` of the message; both are read before either is written. */
#define COPY_ENDS(type)                                     \
    do {                                                    \
        type first_, last_;                                 \
        __builtin_memcpy(&first_, from, sizeof(type));      \
        __builtin_memcpy(&last_, from + n - sizeof(type), sizeof(type)); \
        __builtin_memcpy(to, &first_, sizeof(type));        \
        __builtin_memcpy(to + n - sizeof(type), &last_, sizeof(type)); \
    } while (0)

static inline void copy_under_8(char *to, const char *from, uint64_t n)
{
    if (n >= 4) {
        COPY_ENDS(uint32_t);
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
    if (n > 64) {
        uint64_t last, words = n / 8;
        char *end = to + n - 8;
        __builtin_memcpy(&last, from + n - 8, 8);
        __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
        __builtin_memcpy(end, &last, 8);
    } else if (n > 32) {
        COPY_ENDS(struct copy_4);
    } else if (n > 16) {
        COPY_ENDS(struct copy_2);
    } else if (n >= 8) {
        COPY_ENDS(uint64_t);
    } else {
        copy_under_8(to, from, n);
    }
}
