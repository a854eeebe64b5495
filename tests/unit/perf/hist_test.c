/* SPDX-License-Identifier: MIT
 * The recorder and the readers against a plain model: an array of all values, sorted. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "perf/hist.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

static struct histogram h, other;

static uint64_t random_value(void)
{
    uint64_t bits = (uint64_t)random() << 31 ^ (uint64_t)random();
    return bits & ((UINT64_C(1) << (1 + random() % HISTOGRAM_VALUE_BITS)) - 1);
}

/* The layout as its definition has it: halve the value until it fits into the sub-buckets. */
static uint64_t index_by_definition(uint64_t value)
{
    uint64_t bucket = 0;
    while (value >> bucket >= 2048)
        bucket++;
    return (bucket << 10) + (value >> bucket);
}

Test(hist, index_follows_the_definition)
{
    for (int bit = 0; bit < HISTOGRAM_VALUE_BITS; bit++) {
        for (uint64_t value = (UINT64_C(1) << bit) - 1; value <= (UINT64_C(1) << bit) + 1; value++)
            cr_assert(eq(u64, hist_index(value), index_by_definition(value)), "value %lu", value);
    }
    for (int i = 0; i < 100000; i++) {
        uint64_t value = random_value();
        cr_assert(eq(u64, hist_index(value), index_by_definition(value)), "value %lu", value);
    }
    cr_assert(eq(u64, hist_index(0), 0));
    cr_assert(eq(u64, hist_index(HISTOGRAM_HIGHEST), HISTOGRAM_COUNTS - 1));
}

Test(hist, highest_equivalent_is_the_last_value_of_its_slot)
{
    for (int i = 0; i < 100000; i++) {
        uint64_t value = random_value(), highest = hist_highest_equivalent(value);
        cr_assert(ge(u64, highest, value));
        cr_assert(eq(u64, hist_index(highest), hist_index(value)));
        if (highest < HISTOGRAM_HIGHEST)
            cr_assert(eq(u64, hist_index(highest + 1), hist_index(value) + 1));
    }
}

Test(hist, init_gives_an_empty_histogram)
{
    memset(&h, 0xa5, sizeof h);
    cr_assert(not(hist_valid(&h)));
    hist_init(&h);
    hist_init_zeroed(&other);
    cr_assert(hist_valid(&h));
    cr_assert(eq(int, memcmp(&h, &other, sizeof h), 0));
    cr_assert(eq(u64, hist_count(&h), 0));
    cr_assert(eq(u64, hist_value_at_percentile(&h, 1, 2), 0));
}

Test(hist, record_keeps_count_sum_min_and_max)
{
    uint64_t sum = 0, min = UINT64_MAX, max = 0;
    hist_init(&h);
    for (uint64_t i = 1; i <= 20000; i++) {
        uint64_t value = random_value();
        hist_record(&h, value);
        sum += value;
        min = value < min ? value : min;
        max = value > max ? value : max;
        if (i % 4000 == 1)
            cr_assert(hist_valid(&h));
        if (i % 4000 == 1)
            cr_assert(eq(u64, hist_count(&h), i));
    }
    cr_assert(eq(u64, h.sum, sum));
    cr_assert(eq(u64, h.min, min));
    cr_assert(eq(u64, h.max, max));
    cr_assert(eq(u64, h.overflow, 0));
}

Test(hist, a_value_that_is_too_large_counts_as_overflow_only)
{
    hist_init(&h);
    hist_record(&h, HISTOGRAM_HIGHEST + 1);
    hist_record(&h, UINT64_MAX);
    cr_assert(eq(u64, h.overflow, 2));
    cr_assert(eq(u64, hist_count(&h), 0));
    cr_assert(eq(u64, h.min, UINT64_MAX));
    cr_assert(eq(u64, h.max, 0));
    hist_record(&h, HISTOGRAM_HIGHEST);
    hist_record(&h, UINT64_MAX);
    cr_assert(eq(u64, h.overflow, 3));
    cr_assert(eq(u64, h.counts[HISTOGRAM_COUNTS - 1], 1));
    cr_assert(eq(u64, h.max, HISTOGRAM_HIGHEST));
    cr_assert(hist_valid(&h));
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

Test(hist, percentiles_are_those_of_the_sorted_values)
{
    enum { N = 4001 };
    static uint64_t values[N];
    static const uint32_t fractions[][2] = {{1, 1000},   {1, 2},        {9, 10}, {99, 100},
                                            {999, 1000}, {9999, 10000}, {1, 1},  {7, 3}};
    hist_init(&h);
    for (int i = 0; i < N; i++)
        hist_record(&h, values[i] = random_value());
    qsort(values, N, sizeof *values, ascending);
    for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++) {
        uint64_t num = fractions[i][0], den = fractions[i][1];
        uint64_t rank = num >= den ? N : (N * num + den - 1) / den;
        uint64_t found = hist_value_at_percentile(&h, fractions[i][0], fractions[i][1]);
        cr_assert(eq(u64, found, hist_highest_equivalent(values[rank - 1])), "%lu of %lu", num, den);
    }
    cr_assert(eq(u64, hist_index(hist_value_at_percentile(&h, 0, 1)), hist_index(values[0])));
    cr_assert(eq(u64, hist_value_at_percentile(&h, 1, 0), 0));
}

Test(hist, fraction_zero_is_the_lowest_value_of_the_first_slot)
{
    hist_init(&h);
    hist_record(&h, 1000003);
    cr_assert(eq(u64, hist_value_at_percentile(&h, 0, 1), 999936));
    cr_assert(eq(u64, hist_value_at_percentile(&h, 1, 1000), 1000447));
}

Test(hist, huge_counts_do_not_wrap_the_rank)
{
    hist_init(&h);
    hist_record(&h, 10);
    hist_record(&h, 20);
    h.counts[10] = h.counts[20] = HIST_SLOT_MAX;
    cr_assert(eq(u64, hist_count(&h), 2 * HIST_SLOT_MAX));
    cr_assert(eq(u64, hist_value_at_percentile(&h, UINT32_MAX / 2, UINT32_MAX), 10));
    cr_assert(eq(u64, hist_value_at_percentile(&h, UINT32_MAX / 2 + 1, UINT32_MAX), 20));
    cr_assert(eq(u64, hist_value_at_percentile(&h, UINT32_MAX, UINT32_MAX), 20));
}

Test(hist, add_is_the_same_as_recording_both)
{
    static struct histogram both;
    hist_init(&h);
    hist_init(&other);
    hist_init(&both);
    hist_add(&h, &other);
    cr_assert(hist_valid(&h));
    for (int i = 0; i < 2000; i++) {
        uint64_t value = random_value() + (i == 6 || i == 7 ? UINT64_C(1) << 50 : 0);
        hist_record(i % 3 ? &h : &other, value);
        hist_record(&both, value);
    }
    hist_add(&h, &other);
    cr_assert(eq(int, memcmp(&h, &both, sizeof h), 0));
    cr_assert(hist_valid(&h));
}

Test(hist, valid_notices_each_kind_of_damage)
{
    hist_init(&h);
    for (uint64_t value = 100; value <= 5000; value += 100)
        hist_record(&h, value);
    cr_assert(hist_valid(&h));
#define DAMAGED(change)                  \
    do {                                 \
        other = h;                       \
        change;                          \
        cr_assert(not(hist_valid(&other)), #change); \
    } while (0)
    DAMAGED(other.magic++);
    DAMAGED(other.version = 2);
    DAMAGED(other.min = 99);
    DAMAGED(other.min = 101);
    DAMAGED(other.max = 4800);
    DAMAGED(other.max = HISTOGRAM_HIGHEST + 1);
    DAMAGED(other.max = 50);
    DAMAGED(other.sum += 100000);
    DAMAGED(other.sum = 0);
    DAMAGED(other.counts[HISTOGRAM_COUNTS - 1] = 1);
    DAMAGED(other.counts[0] = 1);
    DAMAGED(other.counts[500] = UINT64_MAX);
    DAMAGED(other.counts[100] = 0);
}

/* ASan and UBSan watch: whatever a process writes into its pages, the readers stay inside them. */
Test(hist, readers_survive_any_contents)
{
    hist_init(&other);
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof h / sizeof(uint64_t); i += 1 + (size_t)random() % 64)
            ((uint64_t *)&h)[i] = (uint64_t)random() << (random() % 33) ^ (uint64_t)-(random() % 2);
        h.min = random() % 2 ? random_value() : (uint64_t)random() << 32;
        h.max = random() % 2 ? random_value() : ~(uint64_t)random();
        cr_assert(le(u64, hist_count(&h), HISTOGRAM_COUNTS * HIST_SLOT_MAX));
        cr_assert(le(u64, hist_value_at_percentile(&h, 99, 100), HISTOGRAM_HIGHEST));
        hist_add(&other, &h);
        (void)hist_valid(&h);
        uint64_t min, max;
        hist_range(&h, &min, &max);
        cr_assert(le(u64, min, max));
        cr_assert(le(u64, max, HISTOGRAM_HIGHEST));
    }
}
