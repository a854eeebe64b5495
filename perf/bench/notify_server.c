/* SPDX-License-Identifier: MIT
 * The partner of notify.round_trip: gives the bits back. */
#include "handles.h"
#include "perf/bench/placement.h"

int main(void)
{
    placement_answer(HANDLE_NOTIFY);
    struct result r;
    do {
        r = object_take(HANDLE_NOTIFY, TIME_MAX);
        if (r.status == STATUS_OK)
            r = object_notify(HANDLE_NOTIFY, (uint32_t)r.value);
    } while (r.status == STATUS_OK);
    server_failed(r.status);
}
