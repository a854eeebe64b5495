/* SPDX-License-Identifier: MIT
 * Memory and string functions in plain C. The kernel has no vector registers, so the memory functions go by 8-byte
 * words, eight to a turn, at any alignment; the odd end is one more word that overlaps the last. Built such that the
 * compiler makes no call to a function out of that function's own loop (see rules.mk). The copies load a whole turn
 * before they store it: that, not `restrict`, makes memmove right. */
#include "sys/lib/string.h"

#include <stdint.h>

#define WORD sizeof(uint64_t)
#define TURN (8 * WORD)

/* A constant-size builtin is one mov at any alignment; a cast pointer would be undefined when it is not aligned. */
static inline uint64_t load8(const unsigned char *from)
{
    uint64_t v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}

static inline void store8(unsigned char *to, uint64_t v)
{
    __builtin_memcpy(to, &v, sizeof v);
}

static inline uint32_t load4(const unsigned char *from)
{
    uint32_t v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}

static inline void store4(unsigned char *to, uint32_t v)
{
    __builtin_memcpy(to, &v, sizeof v);
}

/* n < 8, any overlap: two halves that may share bytes in the middle. */
static inline void copy_short(unsigned char *to, const unsigned char *from, size_t n)
{
    if (n >= 4) {
        uint32_t head = load4(from), tail = load4(from + n - 4);
        store4(to, head);
        store4(to + n - 4, tail);
    } else if (n) {
        unsigned char first = from[0], middle = from[n / 2], last = from[n - 1];
        to[0] = first;
        to[n / 2] = middle;
        to[n - 1] = last;
    }
}

static inline void copy_turn(unsigned char *to, const unsigned char *from)
{
    uint64_t a = load8(from), b = load8(from + 8), c = load8(from + 16), d = load8(from + 24);
    uint64_t e = load8(from + 32), f = load8(from + 40), g = load8(from + 48), h = load8(from + 56);
    store8(to, a);
    store8(to + 8, b);
    store8(to + 16, c);
    store8(to + 24, d);
    store8(to + 32, e);
    store8(to + 40, f);
    store8(to + 48, g);
    store8(to + 56, h);
}

/* n >= 8, and `to` is not inside [from, from + n) except at its start. The tail is read before a store can reach it. */
static inline void copy_up(unsigned char *to, const unsigned char *from, size_t n)
{
    unsigned char *to_tail = to + n - WORD;
    uint64_t tail = load8(from + n - WORD);
    for (; n >= TURN; n -= TURN, to += TURN, from += TURN)
        copy_turn(to, from);
    for (; n >= WORD; n -= WORD, to += WORD, from += WORD)
        store8(to, load8(from));
    store8(to_tail, tail);
}

/* n >= 8, and `from` is not inside [to, to + n) except at its start. */
static inline void copy_down(unsigned char *to, const unsigned char *from, size_t n)
{
    uint64_t head = load8(from);
    for (; n >= TURN; n -= TURN)
        copy_turn(to + n - TURN, from + n - TURN);
    for (; n >= WORD; n -= WORD)
        store8(to + n - WORD, load8(from + n - WORD));
    store8(to, head);
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    if (n < WORD)
        copy_short(to, from, n);
    else
        copy_up(to, from, n);
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    /* Wraps to a large number when `to` lies below `from`. */
    uintptr_t ahead = (uintptr_t)to - (uintptr_t)from;
    if (n < WORD)
        copy_short(to, from, n);
    else if (ahead >= n)
        copy_up(to, from, n);
    else
        copy_down(to, from, n);
    return to;
}

void *memset(void *to, int c, size_t n)
{
    unsigned char *p = to, *end = p + n;
    uint64_t word = (unsigned char)c * UINT64_C(0x0101010101010101);
    if (n < WORD) {
        while (p < end)
            *p++ = (unsigned char)c;
        return to;
    }
    for (; n >= TURN; n -= TURN, p += TURN) {
        store8(p, word);
        store8(p + 8, word);
        store8(p + 16, word);
        store8(p + 24, word);
        store8(p + 32, word);
        store8(p + 40, word);
        store8(p + 48, word);
        store8(p + 56, word);
    }
    for (; n >= WORD; n -= WORD, p += WORD)
        store8(p, word);
    store8(end - WORD, word);
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *p = a, *q = b;
    for (; n >= WORD; n -= WORD, p += WORD, q += WORD) {
        uint64_t u = __builtin_bswap64(load8(p)), v = __builtin_bswap64(load8(q));
        if (u != v)
            return u < v ? -1 : 1; /* the first byte is now the most significant */
    }
    for (; n; n--, p++, q++) {
        if (*p != *q)
            return *p - *q;
    }
    return 0;
}

size_t strlen(const char *s)
{
    const char *end = s;
    while (*end)
        end++;
    return (size_t)(end - s);
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++) {
        if (*a != *b || !*a)
            return (unsigned char)*a - (unsigned char)*b;
    }
    return 0;
}
