/* SPDX-License-Identifier: MIT
 * What does it cost to give the CPU to another process. One sample is two switches: to the yielder, and back. */
#include "perf/bench/harness.h"

#include "handles.h"

#define SLACK 16 /* yields beyond those that are timed, so that each of these has a partner */

BENCH_INLINE enum status body(uint64_t argument)
{
    (void)argument;
    thread_yield();
    return STATUS_OK;
}

static void ask_yields(uint64_t count)
{
    struct result r = channel_transact(HANDLE_YIELDER, &count, sizeof count, &count, sizeof count, TIME_MAX);
    if (r.status != STATUS_OK)
        bench_fail(r.status);
}

void sched_switch_run(const struct bench *bench)
{
    (void)bench;
    ask_yields(bench_plan->warmup + bench_plan->iterations + SLACK);
    bench_loop(body, 0);
    ask_yields(0); /* answered when the yielder has used up the rest */
}
