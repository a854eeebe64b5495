/* SPDX-License-Identifier: MIT
 * The server of channel.call.group.N: N handlers, all in one wait group, and one call per round. The handlers come first
 * among its objects, the group behind them. */
#include "handles.h"
#include "perf/bench/placement.h"

static unsigned char buffer[64] __attribute__((aligned(64)));

static void join(uint32_t member)
{
    struct result r = wait_group_add(HANDLE_GROUP, member, SIGNAL_READABLE, member);
    if (r.status != STATUS_OK)
        server_failed(r.status);
}

int main(void)
{
    for (uint32_t member = 0; member < HANDLE_GROUP; member++)
        join(member);
    uint32_t cpu = cpu_id();
    struct result r = channel_respond_and_wait(HANDLE_GROUP, NULL, 0, NULL, 0, TIME_MAX);
    if (r.status == STATUS_OK)
        r = channel_respond_and_wait(HANDLE_GROUP, &cpu, sizeof cpu, buffer, sizeof buffer, TIME_MAX);
    while (r.status == STATUS_OK)
        r = channel_respond_and_wait(HANDLE_GROUP, buffer, result_length(r), buffer, sizeof buffer, TIME_MAX);
    server_failed(r.status);
}
