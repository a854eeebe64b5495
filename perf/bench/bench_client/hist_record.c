/* SPDX-License-Identifier: MIT
 * What does recording one value into a histogram cost. One sample is 16 records of 16 values that the compiler does not
 * know, into a histogram of its own; a barrier after each keeps it from merging them. */
#include "perf/bench/harness.h"

#include "perf/hist.h"
#include <arch/atomic.h>

static struct histogram scratch;
static uint64_t values[16];

BENCH_INLINE void record(uint64_t value)
{
    hist_record(&scratch, value);
    compiler_barrier();
}

BENCH_INLINE void record_4(const uint64_t *v)
{
    record(v[0]);
    record(v[1]);
    record(v[2]);
    record(v[3]);
}

BENCH_INLINE enum status body(uint64_t argument)
{
    (void)argument;
    record_4(values);
    record_4(values + 4);
    record_4(values + 8);
    record_4(values + 12);
    return STATUS_OK;
}

/* From one to a million ticks, in no order; the first and the last widen the range in the warm-up only. */
void hist_record_run(const struct bench *bench)
{
    uint64_t x = 1;
    for (uint32_t i = 0; i < bench->ops; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        values[i] = 1 + (x >> (44 + i % 8));
    }
    scratch.min = UINT64_MAX;
    bench_loop(body, 0);
}
