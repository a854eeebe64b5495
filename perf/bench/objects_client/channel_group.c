/* SPDX-License-Identifier: MIT
 * What does a call cost when its server waits for many clients at once, through a wait group, and does it matter how
 * many. The client calls each member in turn. */
#include "perf/bench/harness.h"

#include "handles.h"

static uint32_t member, members;

BENCH_INLINE enum status body(uint64_t first)
{
    uint32_t handle = (uint32_t)first + member;
    member = (member + 1) & (members - 1);
    return channel_transact(handle, bench_send, 0, bench_receive, 0, TIME_MAX).status;
}

static void run(uint32_t first, uint32_t count)
{
    member = 0;
    members = count;
    bench_loop(body, first);
}

void channel_group_1_run(const struct bench *bench)
{
    (void)bench;
    run(HANDLE_GROUP_1_0, 1);
}

void channel_group_8_run(const struct bench *bench)
{
    (void)bench;
    run(HANDLE_GROUP_8_0, 8);
}

void channel_group_64_run(const struct bench *bench)
{
    (void)bench;
    run(HANDLE_GROUP_64_0, 64);
}
