/* SPDX-License-Identifier: MIT
 * What does it cost to enter the kernel and leave it: origin check, dispatch through the table, nothing done. */
#include "perf/bench/harness.h"

BENCH_INLINE enum status body(uint64_t argument)
{
    (void)argument;
    debug_nop();
    return STATUS_OK;
}

void syscall_null_run(const struct bench *bench)
{
    (void)bench;
    bench_loop(body, 0);
}
