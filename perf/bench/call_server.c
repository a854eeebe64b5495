/* SPDX-License-Identifier: MIT
 * The server of channel.call.*: echoes each request, with one kernel entry per round. */
#include "handles.h"
#include "perf/bench/placement.h"

static unsigned char buffer[4096] __attribute__((aligned(64)));

int main(void)
{
    placement_answer(HANDLE_CALL);
    struct result r = channel_respond_and_wait(HANDLE_CALL, NULL, 0, buffer, sizeof buffer, TIME_MAX);
    while (r.status == STATUS_OK)
        r = channel_respond_and_wait(HANDLE_CALL, buffer, r.value, buffer, sizeof buffer, TIME_MAX);
    server_failed(r.status);
}
