/* SPDX-License-Identifier: MIT
 * What does an ordered read of the clock cost: nanoseconds since boot, from the vDSO, without the kernel. */
#include "perf/bench/harness.h"

BENCH_INLINE enum status body(uint64_t argument)
{
    (void)argument;
    (void)clock_now();
    return STATUS_OK;
}

void vdso_clock_now_run(const struct bench *bench)
{
    (void)bench;
    bench_loop(body, 0);
}
