/* SPDX-License-Identifier: MIT
 * Recording into and reading a struct histogram (sys/abi/histogram.h). hist_record is inline and freestanding: the
 * kernel and user programs use the same lines. One writer per histogram, no atomic operation, no system call.
 * The kernel reads histograms that a process can scribble on at any moment: the readers below are bounded, cannot fault
 * and cannot loop, whatever the contents; they look only at the slots between min and max. There is no count field: the
 * count is the sum over the slots, so a record costs one store less. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sys/abi/histogram.h"

/* No honest slot gets here (39 hours of one record per ns); readers cut larger ones to it, so totals cannot wrap. */
#define HIST_SLOT_MAX ((UINT64_C(1) << 47) - 1)

/* The position of the top bit, not below that of bucket 0: the bucket is this less (HISTOGRAM_SUB_BITS - 1). */
static inline uint32_t hist_top_bit(uint64_t value)
{
    return 63u ^ (uint32_t)__builtin_clzll(value | ((1u << HISTOGRAM_SUB_BITS) - 1));
}

/* The slot that counts `value`, which must be at most HISTOGRAM_HIGHEST. Shifting up first, so that the shift down is
 * by the top bit itself, saves the subtraction: it becomes part of the address. */
static inline uint64_t hist_index(uint64_t value)
{
    const unsigned half_bits = HISTOGRAM_SUB_BITS - 1;
    uint32_t top = hist_top_bit(value);
    return ((value << half_bits) >> top) + ((uint64_t)top << half_bits) - ((uint64_t)half_bits << half_bits);
}

/* The largest value that shares a slot with `value`, which must be at most HISTOGRAM_HIGHEST. */
static inline uint64_t hist_highest_equivalent(uint64_t value)
{
    return value | ((UINT64_C(1) << (hist_top_bit(value) - (HISTOGRAM_SUB_BITS - 1))) - 1);
}

static inline void hist_add_value(struct histogram *h, uint64_t value)
{
    h->sum += value;
    h->counts[hist_index(value)]++;
}

/* The first value, and any that widens min..max or lies past HISTOGRAM_HIGHEST. min and max come first: a reader that
 * gets in between then sees a range that covers every slot in use. */
[[maybe_unused]] __attribute__((noinline, cold)) static void hist_record_slow(struct histogram *h, uint64_t value)
{
    if (value > HISTOGRAM_HIGHEST) {
        h->overflow++;
        return;
    }
    if (value < h->min)
        h->min = value;
    if (value > h->max)
        h->max = value;
    hist_add_value(h, value);
}

/* Counts one value. Budget: 16 instructions; one line of the header and one of the slots are touched. The overflow test
 * hides behind the max test: max never passes HISTOGRAM_HIGHEST, so what is not above max needs no second look.
 * That is why nobody else may be able to write to *h: the kernel records into no histogram that a process has mapped.
 * Any context; one writer, which nothing that also records into *h may interrupt. */
static inline void hist_record(struct histogram *h, uint64_t value)
{
    if (__builtin_expect(value < h->min, 0) || __builtin_expect(value > h->max, 0)) {
        hist_record_slow(h, value);
        return;
    }
    hist_add_value(h, value);
}

/* Makes an empty histogram of any storage. Writes all HISTOGRAM_BYTES. */
void hist_init(struct histogram *h);

/* The same for storage that is known to hold zeros (fresh pages): writes the header only. */
void hist_init_zeroed(struct histogram *h);

/* One look at the least and the largest value, cut to what is legal: *min <= *max <= HISTOGRAM_HIGHEST. False, and both
 * 0, if the histogram is empty. Only slots from hist_index(*min) to hist_index(*max) count as in use. */
bool hist_range(const struct histogram *h, uint64_t *min, uint64_t *max);

/* One look at a slot; at most HIST_SLOT_MAX. `index` must be below HISTOGRAM_COUNTS. */
uint64_t hist_slot(const struct histogram *h, uint32_t index);

/* The number of values in slots; overflow is not part of it. At most HISTOGRAM_COUNTS steps, as are all below. */
uint64_t hist_count(const struct histogram *h);

/* The value that `numerator` of `denominator` of all values do not exceed, as HdrHistogram gives it: the highest value
 * of the slot that holds the rank; the lowest of the first slot for fraction 0. A fraction above 1 counts as 1.
 * 0 if the histogram is empty, loses values meanwhile, or the denominator is 0. */
uint64_t hist_value_at_percentile(const struct histogram *h, uint32_t numerator, uint32_t denominator);

/* Adds the values of `from`, which need not be trusted, to `into`, which nobody else may write to. */
void hist_add(struct histogram *into, const struct histogram *from);

/* True if no record is half done and nothing was scribbled: magic, version, min and max against the first and last slot
 * in use, no count outside them or above HIST_SLOT_MAX, and a sum that the slots allow. Looks at every slot. */
bool hist_valid(const struct histogram *h);
