/* SPDX-License-Identifier: MIT
 * Physical memory for the boot-table tests: an image is built once, then loaded into a heap block of exactly the wanted
 * size, so that AddressSanitizer sees the first byte read past its end. Physical addresses start at 0. */
#pragma once
#include "arch/x86_64/boot_table.h" /* first: string.h may repeat its prototypes, not the other way round */

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

/* cr_assert reports each pass to the runner; in loops of a hundred thousand only failures may cost that. */
static inline void must_hold(bool holds, const char *condition, int line)
{
    if (!holds)
        cr_assert(holds, "line %d: %s", line, condition);
}
#define must(condition) must_hold((condition), #condition, __LINE__)

/* Memory becomes the first `bytes` of `image`, and nothing beyond them may be read. */
static inline void window_load(const uint8_t *image, size_t bytes)
{
    free(test_phys);
    test_phys = malloc(bytes);
    must(test_phys);
    memcpy(test_phys, image, bytes);
    test_phys_base = 0;
    test_phys_bytes = bytes;
    boot_table_set_limit(bytes);
}

static inline void put16(uint8_t *to, uint64_t v)
{
    memcpy(to, &v, 2);
}
static inline void put32(uint8_t *to, uint64_t v)
{
    memcpy(to, &v, 4);
}
static inline void put64(uint8_t *to, uint64_t v)
{
    memcpy(to, &v, 8);
}

/* Sets the byte at `sum` so that the `bytes` bytes add up to 0. */
static inline void put_sum(uint8_t *table, size_t bytes, size_t sum)
{
    table[sum] = 0;
    table[sum] = (uint8_t)-boot_table_sum(table, bytes);
}

/* The same sequence in every run. */
static inline uint64_t next_random(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* 1 to 8 changed bytes in [from, from + bytes); half of the values are extremes, which lengths and counts dislike most.
 * */
static inline void mutate(uint8_t *from, size_t bytes)
{
    static const uint8_t extremes[] = {0, 1, 0x7f, 0x80, 0xff, 2, 8, 0xfe};
    const uint64_t changes = 1 + next_random() % 8;
    for (uint64_t i = 0; i < changes; i++) {
        const uint64_t r = next_random();
        from[(r >> 16) % bytes] = r & 1 ? extremes[r >> 8 & 7] : (uint8_t)(r >> 8);
    }
}
