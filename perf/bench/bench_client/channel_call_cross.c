/* SPDX-License-Identifier: MIT
 * What does a round trip to a server on another CPU cost that answers and waits in one call: request and response of
 * the same length. */
#include "perf/bench/harness.h"

#include "handles.h"

BENCH_INLINE enum status body(uint64_t n)
{
    return channel_transact(HANDLE_CALL, bench_send, n, bench_receive, n, TIME_MAX).status;
}

void channel_call_cross_run(const struct bench *bench)
{
    bench_loop(body, bench->bytes);
    bench_check_echo(HANDLE_CALL, bench->bytes);
}
