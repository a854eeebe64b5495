/* SPDX-License-Identifier: MIT
 * Copying between messages in pieces, against a model that copies byte by byte. Each piece is an allocation of its own,
 * so that a byte too far is seen by AddressSanitizer. */
#include "ipc/pieces.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 40000, PIECE_BYTES_MAX = 40, TOTAL_MAX = PIECES_MAX * PIECE_BYTES_MAX };

static uint32_t below(uint32_t n)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % n);
}

/* Random lengths, often 0; the last piece, too. */
static struct pieces pieces_create(void)
{
    struct pieces p = {.count = below(PIECES_MAX + 1)};
    for (uint32_t i = 0; i < p.count; i++) {
        uint64_t bytes = below(3) ? below(PIECE_BYTES_MAX + 1) : below(2);
        p.piece[i] = (struct piece){malloc(bytes), bytes};
        for (uint64_t k = 0; k < bytes; k++)
            p.piece[i].address[k] = (char)below(256);
        p.total += bytes;
    }
    for (uint32_t i = p.count; i < PIECES_MAX; i++) /* not part of it */
        p.piece[i] = (struct piece){(char *)1, UINT64_MAX};
    return p;
}

static void pieces_destroy(struct pieces *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        free(p->piece[i].address);
}

/* All bytes of it in a row. */
static uint64_t flatten(const struct pieces *p, char *bytes)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < p->count; i++)
        for (uint64_t k = 0; k < p->piece[i].bytes; k++)
            bytes[n++] = p->piece[i].address[k];
    return n;
}

static void copy_once(const struct pieces *to, const struct pieces *from, uint64_t offset, uint64_t n)
{
    char expected[TOTAL_MAX], source[TOTAL_MAX], after[TOTAL_MAX];
    uint64_t total = flatten(to, expected);
    cr_assert(eq(u64, flatten(from, source), from->total));
    for (uint64_t k = 0; k < n; k++)
        expected[k] = source[offset + k];
    pieces_copy(to, from, offset, n);
    flatten(to, after);
    cr_assert(memcmp(expected, after, total) == 0, "%lu bytes from offset %lu, %u pieces to %u", n, offset, from->count,
              to->count);
    flatten(from, after);
    cr_assert(memcmp(source, after, from->total) == 0);
}

Test(pieces, copy_is_that_of_the_model, .timeout = 60)
{
    uint64_t copied = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct pieces to = pieces_create(), from = pieces_create();
        uint64_t offset = below((uint32_t)from.total + 1), left = from.total - offset;
        uint64_t most = left < to.total ? left : to.total;
        copy_once(&to, &from, offset, below(4) ? below((uint32_t)most + 1) : most);
        copied += most;
        pieces_destroy(&to);
        pieces_destroy(&from);
    }
    cr_assert(ge(u64, copied, ROUNDS));
}

/* Every boundary of one shape against every one of another, from every offset. */
Test(pieces, every_offset_and_length)
{
    static const uint64_t shapes[][4] = {{12, 0, 0, 0}, {0, 0, 12, 0}, {3, 4, 5, 0}, {0, 1, 0, 11}, {4, 4, 4, 0}};
    for (size_t a = 0; a < 5; a++) {
        for (size_t b = 0; b < 5; b++) {
            struct pieces to = {.total = 12, .count = 4}, from = to;
            for (int i = 0; i < 4; i++) {
                to.piece[i] = (struct piece){malloc(shapes[a][i]), shapes[a][i]};
                from.piece[i] = (struct piece){malloc(shapes[b][i]), shapes[b][i]};
                memset(to.piece[i].address, 'a' + i, shapes[a][i]);
                memset(from.piece[i].address, 'A' + i, shapes[b][i]);
            }
            for (uint64_t offset = 0; offset <= 12; offset++)
                for (uint64_t n = 0; n <= 12 - offset; n++)
                    copy_once(&to, &from, offset, n);
            pieces_destroy(&to);
            pieces_destroy(&from);
        }
    }
}

Test(pieces, one_buffer_is_one_piece)
{
    char bytes[5] = "abcd", to[5] = "....";
    struct pieces from = pieces_of(bytes, 4), into = pieces_of(to, 4);
    cr_assert(eq(u64, from.total, 4));
    cr_assert(eq(u32, from.count, 1));
    cr_assert(eq(ptr, from.piece[0].address, bytes));
    pieces_copy(&into, &from, 1, 3);
    cr_assert(eq(str, to, "bcd."));
    struct pieces none = pieces_of(NULL, 0);
    pieces_copy(&none, &none, 0, 0);
    pieces_copy(&into, &from, 4, 0);
}
