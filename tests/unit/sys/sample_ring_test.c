/* SPDX-License-Identifier: MIT
 * A ring of samples: what goes in comes out whole, and what does not fit is counted and changes nothing. */
#include "sys/sample_ring.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include "sys/abi/profile.h"

#define WORDS 32

static uint32_t words[WORDS], out[PROFILE_SAMPLE_WORDS_MAX];
static struct sample_ring ring;

static bool put(uint32_t n, uint32_t mark)
{
    uint32_t record[WORDS];
    for (uint32_t i = 1; i < n; i++)
        record[i] = mark + i;
    record[0] = PROFILE_HEAD(PROFILE_SAMPLE, n, 0, 0);
    return sample_ring_put(&ring, record, n);
}

static void took(uint32_t n, uint32_t mark)
{
    cr_assert(eq(sz, sample_ring_take(&ring, out, PROFILE_SAMPLE_WORDS_MAX), n));
    for (uint32_t i = 1; i < n; i++)
        cr_assert(eq(u32, out[i], mark + i));
}

static void begin(void)
{
    sample_ring_init(&ring, words, WORDS);
}

TestSuite(sample_ring, .init = begin);

Test(sample_ring, records_come_out_in_order_however_they_wrap)
{
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t n = 6 + i % 9;
        cr_assert(put(n, i) && put(7, i + 5000));
        cr_assert(eq(u64, sample_ring_waiting(&ring), n + 7));
        took(n, i);
        took(7, i + 5000);
        took(0, 0);
    }
    cr_assert(eq(u64, ring.taken, 2000));
    cr_assert(zero(u64, ring.dropped));
}

Test(sample_ring, what_does_not_fit_is_dropped_and_counted)
{
    cr_assert(put(20, 1));
    cr_assert(not(put(13, 2)));
    cr_assert(put(12, 3)); /* to the last word */
    cr_assert(not(put(6, 4)));
    cr_assert(eq(u64, ring.taken, 4));
    cr_assert(eq(u64, ring.dropped, 2));
    took(20, 1);
    took(12, 3);
    took(0, 0);
}

Test(sample_ring, a_record_is_not_cut_for_a_reader_without_room)
{
    cr_assert(put(8, 1));
    cr_assert(zero(sz, sample_ring_take(&ring, out, 7)));
    took(8, 1);
}
