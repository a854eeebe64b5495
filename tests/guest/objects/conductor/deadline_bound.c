/* SPDX-License-Identifier: MIT
 * The story: a call with a deadline of 100 us that nobody answers returns within a few microseconds of it, and one
 * whose deadline is past in no time. Told only where the clock counts instructions, since it judges by the clock. */
#include "conductor.h"

#define LATE_MOST (20 * US)

void story_deadline_bound(void)
{
    uint64_t word = 0, latest = 0;
    for (int i = 0; i < 50; i++) {
        uint64_t deadline = clock_now() + 100 * US;
        check_refused("100 us", channel_transact(HANDLE_CALL_1, &word, 8, &word, 8, deadline),
                      STATUS_DEADLINE_EXCEEDED);
        uint64_t late = clock_now() - deadline;
        check_at_most("nanoseconds late", late, LATE_MOST);
        latest = late > latest ? late : latest;

        uint64_t before = clock_now();
        check_refused("past", channel_transact(HANDLE_CALL_1, &word, 8, &word, 8, before), STATUS_DEADLINE_EXCEEDED);
        check_at_most("nanoseconds for nothing", clock_now() - before, LATE_MOST);
    }
    tern_log("deadline: at most %lu ns late", latest);
    check_server_works(&server_1, HANDLE_CALL_1);
}
