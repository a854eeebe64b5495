/* SPDX-License-Identifier: MIT
 * The partner of sched.switch. A request holds a count, eight bytes; it is answered, and then the yielder gives the CPU
 * away that many times. Otherwise it is blocked and disturbs no other bench. */
#include "handles.h"
#include "perf/bench/placement.h"

int main(void)
{
    placement_answer(HANDLE_YIELDER);
    uint64_t count = 0;
    struct result r = channel_respond_and_wait(HANDLE_YIELDER, NULL, 0, &count, sizeof count, TIME_MAX);
    while (r.status == STATUS_OK) {
        r = channel_respond(HANDLE_YIELDER, &count, sizeof count);
        if (r.status != STATUS_OK)
            break;
        for (uint64_t i = 0; i < count; i++)
            thread_yield();
        r = channel_respond_and_wait(HANDLE_YIELDER, NULL, 0, &count, sizeof count, TIME_MAX);
    }
    server_failed(r.status);
}
