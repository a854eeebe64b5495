/* SPDX-License-Identifier: MIT
 * What all of the hostile test know. Each byte of the hostile processes' arenas has its top bit, as has what is sent
 * to them, and no other byte of the honest: so who gets a byte knows whether it may have come from there. */
#pragma once
#include "sys/abi/piece.h"
#include "tests/guest/check.h"

#define ROUNDS 6000
#define LONGEST 4096 /* of an honest buffer */
#define TOP_BIT 0x80
#define GUARD 0x2a

struct random {
    uint64_t state;
};

static inline uint64_t random_below(struct random *r, uint64_t bound)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return r->state % bound;
}

/* A buffer with a guard on either side. */
struct guarded {
    unsigned char before[64];
    unsigned char bytes[LONGEST];
    unsigned char after[64];
};

static inline void guard(struct guarded *g)
{
    memset(g, GUARD, sizeof *g);
}

static inline void check_guard(const char *what, const struct guarded *g)
{
    for (size_t i = 0; i < sizeof g->before; i++)
        check_u64(what, (uint64_t)g->before[i] << 8 | g->after[i], GUARD << 8 | GUARD);
}

/* The first n bytes came from an arena. */
static inline void check_bytes(const char *what, const struct guarded *g, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_at_least(what, g->bytes[i], TOP_BIT);
}

/* Bytes n to m were not written. */
static inline void check_unwritten(const char *what, const struct guarded *g, size_t n, size_t m)
{
    for (size_t i = n; i < m; i++)
        check_u64(what, g->bytes[i], GUARD);
}
