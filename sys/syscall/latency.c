/* SPDX-License-Identifier: MIT
 * Rows of latencies. Only its CPU writes a row; others read while it does, so what they see may lack the last calls. */
#include "sys/syscall/latency.h"

#include "mm/page.h"
#include "perf/hist.h"
#include "sys/console.h"
#include "sys/lib/printf.h"
#include "sys/lib/string.h"
#include "sys/syscall/extension.h"

#include <arch/atomic.h>
#include <arch/clock.h>
#include <arch/cpu.h>

#define ROWS (SYSCALL_BUILT_IN + 1) /* the last: all others */
#define HALF_BITS 5
#define OCTAVES 34
#define SLOTS ((OCTAVES + 2) << HALF_BITS)
#define TICKS_MAX ((UINT64_C(1) << (OCTAVES + HALF_BITS + 1)) - 1)
#define EXPORT_STEPS_MAX 10000

struct head {
    uint64_t sum, min, max;
};

struct row {
    struct head head;
    uint32_t counts[SLOTS];
};

static PERCPU_ZERO(bool, latency_started); /* [a] this CPU's rows are initialised */
static struct row (*rows)[ROWS];           /* [I] by CPU */
static struct histogram *whole;            /* [I] for export */
static uint32_t row_cpus;                  /* [I] */
static uint64_t mult;                      /* [I] */
static const char *unit_name;              /* [I] */

bool latency_reserve(uint32_t cpus, uint64_t sample_mult, const char *unit)
{
    paddr_t p, q;
    if (page_alloc_raw((cpus * sizeof(*rows) + PAGE_SIZE - 1) / PAGE_SIZE, PAGE_SIZE, &p) != STATUS_OK ||
        page_alloc_raw((HISTOGRAM_BYTES + PAGE_SIZE - 1) / PAGE_SIZE, PAGE_SIZE, &q) != STATUS_OK)
        return false;
    rows = phys_to_virt(p);
    whole = phys_to_virt(q);
    mult = sample_mult;
    unit_name = unit;
    row_cpus = cpus;
    return true;
}

static uint32_t slot_of(uint64_t ticks)
{
    uint32_t top = 63u ^ (uint32_t)__builtin_clzll(ticks | ((2u << HALF_BITS) - 1));
    uint32_t octave = top - HALF_BITS;
    return (octave << HALF_BITS) + (uint32_t)(ticks >> octave);
}

/* The middle of a slot. */
static uint64_t slot_value(uint32_t slot)
{
    uint32_t octave = slot < 2u << HALF_BITS ? 0 : (slot >> HALF_BITS) - 1;
    return ((uint64_t)(slot - (octave << HALF_BITS)) << octave) + ((UINT64_C(1) << octave) >> 1);
}

static void latency_start(void)
{
    memset(rows[cpu_index()], 0, sizeof(*rows));
    for (uint32_t i = 0; i < ROWS; i++)
        rows[cpu_index()][i].head.min = UINT64_MAX;
    store_release(this_cpu_ptr(latency_started), true); /* pairs: latency-rows */
}

static void latency_post(const struct syscall_context *c, const struct result *result)
{
    (void)result;
    uint64_t ticks = cpu_rdtsc_ordered() - c->entry_tsc;
    struct row *r = &rows[c->cpu][c->number < SYSCALL_BUILT_IN ? c->number : SYSCALL_BUILT_IN];
    if (ticks > TICKS_MAX)
        ticks = TICKS_MAX;
    r->head.sum += ticks;
    r->head.min = ticks < r->head.min ? ticks : r->head.min;
    r->head.max = ticks > r->head.max ? ticks : r->head.max;
    r->counts[slot_of(ticks)]++;
}

struct syscall_hook latency_hook = {.name = "latency", .start = latency_start, .post = latency_post};

static uint64_t in_unit(uint64_t ticks)
{
    return (uint64_t)((unsigned __int128)ticks * mult >> 32);
}

/* The row of a CPU, NULL if it has none. */
static const struct row *row_of(uint32_t cpu, uint32_t number)
{
    if (cpu >= row_cpus || !load_acquire(cpu_ptr(cpu, latency_started))) /* pairs: latency-rows */
        return NULL;
    return &rows[cpu][number < SYSCALL_BUILT_IN ? number : SYSCALL_BUILT_IN];
}

static uint64_t count_of(uint32_t number, uint32_t slot)
{
    uint64_t count = 0;
    for (uint32_t cpu = 0; cpu < row_cpus; cpu++) {
        const struct row *r = row_of(cpu, number);
        count += r ? load_relaxed(&r->counts[slot]) : 0;
    }
    return count;
}

/* Of all CPUs, in ticks. */
static struct head merge_head(uint32_t number)
{
    struct head all = {.min = UINT64_MAX};
    for (uint32_t cpu = 0; cpu < row_cpus; cpu++) {
        const struct row *r = row_of(cpu, number);
        uint64_t min = r ? load_relaxed(&r->head.min) : UINT64_MAX, max = r ? load_relaxed(&r->head.max) : 0;
        all.sum += r ? load_relaxed(&r->head.sum) : 0;
        all.min = min < all.min ? min : all.min;
        all.max = max > all.max ? max : all.max;
    }
    return all;
}

/* In one pass over the slots, since it runs with interrupts off. */
static void percentiles(uint32_t number, struct syscall_stats *stats)
{
    const struct {
        uint64_t per_mille, *to;
    } wanted[] = {{500, &stats->p50}, {990, &stats->p99}, {999, &stats->p999}};
    uint64_t seen = 0;
    uint32_t next = 0;
    for (uint32_t slot = 0; slot < SLOTS && next < sizeof(wanted) / sizeof(wanted[0]); slot++) {
        seen += count_of(number, slot);
        for (; next < sizeof(wanted) / sizeof(wanted[0]) && seen * 1000 >= stats->samples * wanted[next].per_mille;
             next++)
            *wanted[next].to = in_unit(slot_value(slot));
    }
}

void latency_stats(uint32_t number, struct syscall_stats *stats)
{
    stats->samples = 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        stats->samples += count_of(number, slot);
    if (!stats->samples)
        return;
    struct head h = merge_head(number);
    stats->min = in_unit(h.min);
    stats->max = in_unit(h.max);
    stats->sum = in_unit(h.sum);
    percentiles(number, stats);
}

/* All CPUs' row as a histogram of the unit; false if it is empty. */
static bool make_whole(uint32_t number)
{
    hist_init(whole);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        uint64_t value = in_unit(slot_value(slot)), count = count_of(number, slot);
        if (!count || value > HISTOGRAM_HIGHEST)
            continue;
        whole->counts[hist_index(value)] += count;
        whole->sum += value * count;
        whole->min = value < whole->min ? value : whole->min;
        whole->max = value > whole->max ? value : whole->max;
    }
    return whole->min <= whole->max;
}

void latency_export(void)
{
    char text[96];
    for (uint32_t number = 0; row_cpus && number < ROWS; number++) {
        if (!make_whole(number))
            continue;
        const char *name = number < SYSCALL_BUILT_IN ? syscall_name(number) : "others";
        int n = ksnprintf(text, sizeof(text), "syscall.latency.%s overhead=0 ops=1 unit=%s", name, unit_name);
        for (uint32_t i = 0; i < EXPORT_STEPS_MAX; i++)
            if (console_export(whole, text, (uint64_t)n) != STATUS_UNAVAILABLE)
                break;
    }
}
