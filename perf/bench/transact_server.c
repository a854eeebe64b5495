/* SPDX-License-Identifier: MIT
 * The server of channel.transact.*: echoes each request by wait, read, respond, three kernel entries per round. */
#include "handles.h"
#include "perf/bench/placement.h"

static unsigned char buffer[4096] __attribute__((aligned(64)));

int main(void)
{
    placement_answer(HANDLE_TRANSACT);
    struct result r;
    do {
        r = object_wait(HANDLE_TRANSACT, SIGNAL_READABLE, TIME_MAX);
        if (r.status != STATUS_OK)
            break;
        r = channel_read(HANDLE_TRANSACT, 0, buffer, sizeof buffer);
        if (r.status != STATUS_OK)
            break;
        r = channel_respond(HANDLE_TRANSACT, buffer, r.value);
    } while (r.status == STATUS_OK);
    server_failed(r.status);
}
