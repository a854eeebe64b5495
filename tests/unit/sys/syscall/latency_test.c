/* SPDX-License-Identifier: MIT
 * The hook `latency` with a time stamp counter that the test turns: what it makes of known durations on two CPUs,
 * within the 3 % that it promises, per number and for all others together; what switching it on again begins anew; and
 * what leaves for the host. latency.c is included, so that the counter can be the test's. */
#include <arch/cpu.h>

static uint64_t test_ticks(void);
#define cpu_rdtsc_ordered test_ticks
#include "sys/syscall/latency.c"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

enum { CPUS = 2, SAMPLES = 10000 };
#define ONE (UINT64_C(1) << 32) /* a unit is a tick */

struct percpu_head percpu_head;
static uint64_t ticks;
static char exported[ROWS][96];
static uint64_t exported_counts[ROWS], exported_count;

static uint64_t test_ticks(void)
{
    return ticks;
}

enum status page_alloc_raw(size_t count, size_t align_bytes, paddr_t *out)
{
    (void)align_bytes;
    *out = test_phys_base + test_phys_bytes;
    test_phys_bytes += count * PAGE_SIZE;
    return STATUS_OK;
}

const char *syscall_name(uint32_t number)
{
    return number == 3 ? "three" : "another";
}

/* As the console does it: the first step of each is not the last. */
enum status console_export(const struct histogram *h, const char *text, uint64_t n)
{
    static bool begun;
    if ((begun = !begun))
        return STATUS_UNAVAILABLE;
    cr_assert(lt(u64, n, sizeof(exported[0])));
    memcpy(exported[exported_count], text, n);
    for (uint64_t i = 0; i < HISTOGRAM_COUNTS; i++)
        exported_counts[exported_count] += h->counts[i];
    exported_count++;
    return STATUS_OK;
}

static void start(void)
{
    for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
        percpu_head.cpu = cpu;
        latency_hook.start();
    }
}

static void reserve(uint64_t sample_mult)
{
    test_phys = malloc(8 << 20);
    memset(test_phys, 0xa5, 8 << 20); /* pages come as they are */
    test_phys_base = 0x100000;
    cr_assert(latency_reserve(CPUS, sample_mult, "instructions"));
    start();
}

static void sample(uint32_t cpu, uint32_t number, uint64_t duration)
{
    struct syscall_context c = {.entry_tsc = 1000000, .number = number, .cpu = cpu};
    ticks = c.entry_tsc + duration;
    latency_hook.post(&c, NULL);
}

static struct syscall_stats stats_of(uint32_t number)
{
    struct syscall_stats s = {.samples = 99};
    latency_stats(number, &s);
    return s;
}

static void check_near(const char *what, uint64_t got, uint64_t expected)
{
    uint64_t off = got > expected ? got - expected : expected - got;
    cr_assert(off <= expected * 3 / 100 + 1, "%s: %lu, expected about %lu", what, got, expected);
}

Test(latency, nothing_before_the_first_call)
{
    struct syscall_stats s = stats_of(3);
    cr_assert(eq(u64, s.samples, 0), "not even memory");
    reserve(ONE);
    s = stats_of(3);
    cr_assert(eq(u64, s.samples, 0));
    cr_assert(eq(u64, s.min, 0));
    latency_export();
    cr_assert(eq(u64, exported_count, 0), "an empty row stays here");
}

Test(latency, every_duration_within_three_per_cent)
{
    reserve(ONE);
    for (uint64_t d = 0; d < TICKS_MAX; d += d / 7 + 1) {
        uint32_t slot = slot_of(d);
        cr_assert(lt(u32, slot, SLOTS), "%lu", d);
        check_near("slot", slot_value(slot), d);
    }
    sample(0, 3, UINT64_MAX / 2); /* longer than there are slots for: in the last one */
    cr_assert(eq(u64, stats_of(3).samples, 1));
    cr_assert(eq(u64, stats_of(3).max, TICKS_MAX));
}

/* 1 .. SAMPLES times 100 ticks, in an odd order, now on one CPU and now on the other. */
static void sample_many(uint32_t number)
{
    for (uint64_t i = 0; i < SAMPLES; i++)
        sample(i % CPUS, number, (i * 7919 % SAMPLES + 1) * 100);
}

Test(latency, all_cpus_together)
{
    reserve(ONE);
    sample_many(3);
    struct syscall_stats s = stats_of(3);
    cr_assert(eq(u64, s.samples, SAMPLES));
    cr_assert(eq(u64, s.min, 100));
    cr_assert(eq(u64, s.max, SAMPLES * 100));
    cr_assert(eq(u64, s.sum, UINT64_C(50) * SAMPLES * (SAMPLES + 1)));
    check_near("p50", s.p50, SAMPLES * 50);
    check_near("p99", s.p99, SAMPLES * 99);
    check_near("p999", s.p999, SAMPLES * 999 / 10);
}

Test(latency, in_the_unit_of_samples)
{
    reserve(ONE / 4);
    sample_many(3);
    struct syscall_stats s = stats_of(3);
    cr_assert(eq(u64, s.max, SAMPLES * 25));
    check_near("p50", s.p50, SAMPLES * 50 / 4);
}

Test(latency, a_row_for_each_call_from_boot_and_one_for_the_rest)
{
    reserve(ONE);
    sample(0, 0, 10);
    sample(1, SYSCALL_BUILT_IN - 1, 20);
    sample(0, SYSCALL_BUILT_IN, 30);
    sample(1, SYSCALL_MAX - 1, 40);
    cr_assert(eq(u64, stats_of(0).samples, 1));
    cr_assert(eq(u64, stats_of(1).samples, 0));
    cr_assert(eq(u64, stats_of(SYSCALL_BUILT_IN - 1).max, 20));
    cr_assert(eq(u64, stats_of(42).samples, 2));
    cr_assert(eq(u64, stats_of(42).sum, 70));
}

Test(latency, switched_on_again_it_begins_anew)
{
    reserve(ONE);
    sample_many(3);
    start();
    cr_assert(eq(u64, stats_of(3).samples, 0));
    sample(1, 3, 50);
    cr_assert(eq(u64, stats_of(3).min, 50));
    cr_assert(eq(u64, stats_of(3).max, 50));
}

Test(latency, rows_that_have_something_leave)
{
    reserve(ONE);
    sample_many(3);
    sample(0, 300, 7);
    latency_export();
    cr_assert(eq(u64, exported_count, 2));
    cr_assert(eq(str, exported[0], "syscall.latency.three overhead=0 ops=1 unit=instructions"));
    cr_assert(eq(str, exported[1], "syscall.latency.others overhead=0 ops=1 unit=instructions"));
    cr_assert(eq(u64, exported_counts[0], SAMPLES));
    cr_assert(eq(u64, exported_counts[1], 1));
}
