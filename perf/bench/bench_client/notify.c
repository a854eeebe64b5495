/* SPDX-License-Identifier: MIT
 * What does a round trip without messages cost: bits to another process, which waits for them, and bits back. */
#include "perf/bench/harness.h"

#include "handles.h"

BENCH_INLINE enum status body(uint64_t argument)
{
    struct result r = object_notify(HANDLE_NOTIFY, (uint32_t)argument);
    if (r.status != STATUS_OK)
        return r.status;
    return object_take(HANDLE_NOTIFY, TIME_MAX).status;
}

void notify_run(const struct bench *bench)
{
    (void)bench;
    bench_loop(body, 1);
}
