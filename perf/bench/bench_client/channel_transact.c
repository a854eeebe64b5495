/* SPDX-License-Identifier: MIT
 * What does a round trip to a server on the same CPU cost that waits, reads and responds in three calls, as in the
 * seed's handler loop: request and response of the same length. */
#include "perf/bench/harness.h"

#include "handles.h"

BENCH_INLINE enum status body(uint64_t n)
{
    return channel_transact(HANDLE_TRANSACT, bench_send, n, bench_receive, n, TIME_MAX).status;
}

void channel_transact_run(const struct bench *bench)
{
    bench_loop(body, bench->bytes);
    bench_check_echo(HANDLE_TRANSACT, bench->bytes);
}
