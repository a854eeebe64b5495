/* SPDX-License-Identifier: MIT
 * Copying by the widest moves that need no vector registers. Lengths up to 64 take two overlapping halves of whole
 * words, so that there is neither a byte loop nor a loop at all; beyond that REP MOVSQ, whose start-up then pays. */
#pragma once
#include <stdint.h>

static inline __attribute__((always_inline)) void copy_word(char *to, const char *from, uint64_t at)
{
    uint64_t word;
    __builtin_memcpy(&word, from + at, 8);
    __builtin_memcpy(to + at, &word, 8);
}

static inline __attribute__((always_inline)) void copy_under_8(char *to, const char *from, uint64_t n)
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

static inline __attribute__((always_inline)) void copy_long(char *to, const char *from, uint64_t n)
{
    uint64_t last, words = n / 8;
    char *end = to + n - 8;
    __builtin_memcpy(&last, from + n - 8, 8);
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
    __builtin_memcpy(end, &last, 8);
}

/* n > 0 */
static inline __attribute__((always_inline)) void arch_copy(char *to, const char *from, uint64_t n)
{
    if (n < 8) {
        copy_under_8(to, from, n);
        return;
    }
    if (n > 64) {
        copy_long(to, from, n);
        return;
    }
    if (n > 32) {
        copy_word(to, from, 0);
        copy_word(to, from, 8);
        copy_word(to, from, n - 32);
        copy_word(to, from, n - 24);
    }
    if (n > 16) {
        copy_word(to, from, n > 32 ? 16 : 0);
        copy_word(to, from, n > 32 ? 24 : 8);
        copy_word(to, from, n - 16);
    } else {
        copy_word(to, from, 0);
    }
    copy_word(to, from, n - 8);
}
