/* SPDX-License-Identifier: MIT
 * Benches that the kernel runs for us, by the name of the bench (perf/bench/kernel/): here they only get their samples.
 */
#include "perf/bench/harness.h"
#include "sys/lib/string.h"

#define SAMPLES 64 /* at a time */

static uint64_t ticks[SAMPLES];

static uint64_t measure(const char *name, uint64_t count)
{
    struct result r = debug_measure(name, strlen(name), ticks, count * sizeof ticks[0]);
    if (r.status != STATUS_OK)
        bench_fail(r.status);
    return r.value;
}

static uint64_t overhead(void)
{
    uint64_t least = UINT64_MAX, n = measure("empty", SAMPLES);
    for (uint64_t i = 0; i < n; i++)
        least = ticks[i] < least ? ticks[i] : least;
    return least;
}

void kernel_part_run(const struct bench *bench)
{
    uint64_t least = overhead();
    (void)measure(bench->name, 1);
    bench_note(ticks[0], least);
    for (uint64_t done = 0; done < bench_plan->warmup;)
        done += measure(bench->name, SAMPLES);
    for (uint64_t done = 0, n; done < bench_plan->iterations; done += n) {
        n = measure(bench->name, bench_plan->iterations - done < SAMPLES ? bench_plan->iterations - done : SAMPLES);
        for (uint64_t i = 0; i < n; i++)
            bench_record(ticks[i], least);
    }
}
