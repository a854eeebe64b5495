/* SPDX-License-Identifier: MIT
 * Never ends by itself: somebody outside has to end the machine, of which it may hear before. */
#include "handles.h"
#include "user/rt/tern.h"

int main(void)
{
    tern_log("waits for ever");
    for (;;) {
        struct event e;
        struct result r = object_wait(HANDLE_END, SIGNAL_READABLE, TIME_MAX);
        if (r.status == STATUS_OK)
            r = event_read(HANDLE_END, &e, sizeof e);
        if (r.status != STATUS_OK)
            tern_failure(r.status, "no event came");
        tern_log("hears that the machine ends");
    }
}
