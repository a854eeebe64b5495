/* SPDX-License-Identifier: MIT
 * The process of the interrupts test that ends and starts again: it says which of its interrupts are up. */
#include "handles.h"
#include "tests/guest/check.h"
#include "tests/guest/objects/interrupts.h"

int main(void)
{
    for (;;) {
        struct reborn_request request;
        check_signals("request", object_wait(HANDLE_IPC, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
        check_ok("read", channel_read(HANDLE_IPC, 0, &request, sizeof request), sizeof request);
        if (request.verb == REBORN_END)
            process_exit(0);
        if (request.verb == REBORN_ACKNOWLEDGE)
            check_ok("interrupt_ack", interrupt_ack(HANDLE_MIXED, request.mask), 0);
        struct result r = object_wait(HANDLE_MIXED, SIGNAL_LINE | SIGNAL_NO_LINE, 0);
        if (r.status != STATUS_OK)
            check_refused("poll", r, STATUS_DEADLINE_EXCEEDED);
        uint32_t signals = r.status == STATUS_OK ? r.signals : 0;
        check_ok("answer", channel_respond(HANDLE_IPC, &signals, sizeof signals), 0);
    }
}
