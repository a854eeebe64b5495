/* SPDX-License-Identifier: MIT
 * What the processes of the stress test agree on: messages that prove what they are. A message is a head and words
 * that follow from it; request and answer of one number differ in every word, so one torn, stale or misled is found. */
#pragma once
#include "tests/guest/check.h"

#define STRESS_WORDS_MAX 256
#define STRESS_REQUEST 0x71657453ul
#define STRESS_ANSWER 0x736e6153ul

struct stress_message {
    uint64_t kind;
    uint64_t sequence; /* of the transaction, in its channel */
    uint64_t words;    /* that follow */
    uint64_t word[STRESS_WORDS_MAX];
};

#define STRESS_HEAD_BYTES (3 * sizeof(uint64_t))

/* Each process has its own sequence of numbers, the same in every run. */
static inline uint64_t stress_random(void)
{
    static uint64_t state;
    if (!state)
        state = (tern_vvar()->process + 1) * 0x9e3779b97f4a7c15ul;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static inline size_t stress_bytes(const struct stress_message *m)
{
    return STRESS_HEAD_BYTES + m->words * sizeof(uint64_t);
}

static inline uint64_t stress_word(const struct stress_message *m, uint64_t i)
{
    return (m->sequence * 0x9e3779b97f4a7c15ul) ^ (m->kind << 32) ^ i;
}

static inline void stress_fill(struct stress_message *m, uint64_t kind, uint64_t sequence, uint64_t words)
{
    m->kind = kind;
    m->sequence = sequence;
    m->words = words;
    for (uint64_t i = 0; i < words; i++)
        m->word[i] = stress_word(m, i);
}

/* All of it: its kind, its length, each word. */
static inline void stress_check(const char *what, const struct stress_message *m, uint64_t kind, uint64_t bytes)
{
    check_u64(what, m->kind, kind);
    check_at_most(what, m->words, STRESS_WORDS_MAX);
    check_u64(what, bytes, stress_bytes(m));
    for (uint64_t i = 0; i < m->words; i++)
        check_u64(what, m->word[i], stress_word(m, i));
}

static inline void stress_spin_until(uint64_t ns)
{
    while (clock_now() < ns)
        debug_nop();
}
