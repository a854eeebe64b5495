/* SPDX-License-Identifier: MIT
 * A message that lies in several pieces of memory, in order: what a vectored buffer becomes after it was copied and
 * checked. Kernel addresses; nothing is ever read again from where the process has its vector. */
#pragma once
#include <stdint.h>

#define PIECES_MAX 8

struct piece {
    char *address;
    uint64_t bytes;
};

struct pieces {
    uint64_t total; /* sum of all bytes */
    uint32_t count;
    struct piece piece[PIECES_MAX];
};

static inline struct pieces pieces_of(char *address, uint64_t bytes)
{
    return (struct pieces){.total = bytes, .count = 1, .piece = {{address, bytes}}};
}

/* Copies `n` bytes, from `offset` of one to the start of the other. Both are long enough. */
void pieces_copy(const struct pieces *to, const struct pieces *from, uint64_t offset, uint64_t n);
