/* SPDX-License-Identifier: MIT
 * Reading histograms. The storage may belong to a process that changes it while we look, on this CPU between two steps
 * or on another one at any time: each word is loaded once and cut to its legal range before it is used. Nothing here
 * orders these loads; a reader that needs one exact moment has to stop the writer first. */
#include "perf/hist.h"

#include <arch/atomic.h>
#include "sys/lib/string.h"

#define HALF_BITS (HISTOGRAM_SUB_BITS - 1)

void hist_init_zeroed(struct histogram *h)
{
    h->version = 1;
    h->min = UINT64_MAX;
    h->magic = HISTOGRAM_MAGIC;
}

void hist_init(struct histogram *h)
{
    memset(h, 0, sizeof *h);
    hist_init_zeroed(h);
}

bool hist_range(const struct histogram *h, uint64_t *min, uint64_t *max)
{
    *min = load_relaxed(&h->min);
    *max = load_relaxed(&h->max);
    if (*max > HISTOGRAM_HIGHEST)
        *max = HISTOGRAM_HIGHEST;
    if (*min <= *max)
        return true;
    *min = *max = 0;
    return false;
}

/* The slots in use, [low, limit); none if the histogram is empty. */
struct slots {
    uint32_t low, limit;
};

static struct slots slots_in_use(const struct histogram *h)
{
    uint64_t min, max;
    if (!hist_range(h, &min, &max))
        return (struct slots){0, 0};
    return (struct slots){(uint32_t)hist_index(min), (uint32_t)hist_index(max) + 1};
}

uint64_t hist_slot(const struct histogram *h, uint32_t index)
{
    uint64_t count = load_relaxed(&h->counts[index]);
    return count < HIST_SLOT_MAX ? count : HIST_SLOT_MAX;
}

uint64_t hist_count(const struct histogram *h)
{
    struct slots slots = slots_in_use(h);
    uint64_t total = 0;
    for (uint32_t i = slots.low; i < slots.limit; i++)
        total += hist_slot(h, i);
    return total;
}

/* How far a slot's values are shifted: the first two halves count single values, each later half twice as wide ones. */
static uint32_t slot_shift(uint32_t index)
{
    uint32_t half = index >> HALF_BITS;
    return half < 2 ? 0 : half - 1;
}

static uint64_t slot_lowest(uint32_t index)
{
    uint32_t shift = slot_shift(index);
    return (uint64_t)(index - (shift << HALF_BITS)) << shift;
}

static uint64_t slot_highest(uint32_t index)
{
    return slot_lowest(index) + (UINT64_C(1) << slot_shift(index)) - 1;
}

/* count * numerator / denominator, rounded up, without a product that could pass 64 bits. */
static uint64_t rank_of(uint64_t count, uint32_t numerator, uint32_t denominator)
{
    uint64_t whole = count / denominator, rest = count % denominator;
    return whole * numerator + (rest * numerator + denominator - 1) / denominator;
}

uint64_t hist_value_at_percentile(const struct histogram *h, uint32_t numerator, uint32_t denominator)
{
    if (!denominator)
        return 0;
    if (numerator > denominator)
        numerator = denominator;

    uint64_t rank = rank_of(hist_count(h), numerator, denominator), seen = 0;
    if (!rank)
        rank = 1;
    struct slots slots = slots_in_use(h);
    for (uint32_t i = slots.low; i < slots.limit; i++) {
        seen += hist_slot(h, i);
        if (seen >= rank)
            return numerator ? slot_highest(i) : slot_lowest(i);
    }
    return 0;
}

void hist_add(struct histogram *into, const struct histogram *from)
{
    uint64_t min, max;
    into->overflow += load_relaxed(&from->overflow);
    if (!hist_range(from, &min, &max))
        return;
    for (uint64_t i = hist_index(min); i <= hist_index(max); i++)
        into->counts[i] += hist_slot(from, (uint32_t)i);
    into->sum += load_relaxed(&from->sum);
    if (min < into->min)
        into->min = min;
    if (max > into->max)
        into->max = max;
}

/* Adds value * count to a sum kept as high and low word. */
static void wide_add(uint64_t sum[2], uint64_t value, uint64_t count)
{
    unsigned __int128 product = (unsigned __int128)value * count + sum[0];
    sum[0] = (uint64_t)product;
    sum[1] += (uint64_t)(product >> 64);
}

/* Whether the sum lies between what the slots give with their lowest and with their highest values. A sum that can have
 * passed 64 bits says nothing. */
static bool sum_valid(const struct histogram *h, struct slots slots)
{
    uint64_t least[2] = {0, 0}, most[2] = {0, 0};
    for (uint32_t i = slots.low; i < slots.limit; i++) {
        uint64_t count = hist_slot(h, i);
        wide_add(least, slot_lowest(i), count);
        wide_add(most, slot_highest(i), count);
    }
    return most[1] || (least[0] <= h->sum && h->sum <= most[0]);
}

bool hist_valid(const struct histogram *h)
{
    struct slots slots = slots_in_use(h);
    if (h->magic != HISTOGRAM_MAGIC || h->version != 1 || h->max > HISTOGRAM_HIGHEST)
        return false;
    if (slots.limit == 0 && (h->min != UINT64_MAX || h->max != 0))
        return false;
    if (slots.limit != 0 && (!hist_slot(h, slots.low) || !hist_slot(h, slots.limit - 1)))
        return false;
    for (uint32_t i = 0; i < HISTOGRAM_COUNTS; i++) {
        bool inside = i >= slots.low && i < slots.limit;
        if (load_relaxed(&h->counts[i]) > (inside ? HIST_SLOT_MAX : 0))
            return false;
    }
    return sum_valid(h, slots);
}
