/* SPDX-License-Identifier: MIT
 * Triggers interrupts of the interrupts test from another CPU, before or after it answers. */
#include "handles.h"
#include "tests/guest/check.h"
#include "tests/guest/objects/interrupts.h"

int main(void)
{
    for (;;) {
        struct far_request request;
        check_signals("request", object_wait(HANDLE_IPC, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
        check_ok("read", channel_read(HANDLE_IPC, 0, &request, sizeof request), sizeof request);
        if (request.late)
            check_ok("answer", channel_respond(HANDLE_IPC, NULL, 0), 0);
        for (uint32_t i = 0; i < request.times; i++)
            check_ok("trigger", debug_trigger_interrupt(request.number), 0);
        if (!request.late)
            check_ok("answer", channel_respond(HANDLE_IPC, NULL, 0), 0);
    }
}
