/* SPDX-License-Identifier: MIT
 * One of several processes that sleep at the same time, 100 us to 5 ms, never the same length as the others, and note
 * how late they wake; waking early fails at once. */
#include "handles.h"
#include "tests/guest/sched/deadline.h"

int main(void)
{
    struct deadline_report report = {0, UINT64_MAX, 0};
    uint64_t step = 83 * US + tern_vvar()->process * 7 * US;
    for (uint64_t length = 100 * US; report.sleeps < DEADLINE_SLEEPS; report.sleeps++) {
        uint64_t deadline = clock_now() + length;
        check_sleep_until(HANDLE_REPORT, deadline);
        uint64_t late = clock_now() - deadline;
        report.least_late_ns = late < report.least_late_ns ? late : report.least_late_ns;
        report.most_late_ns = late > report.most_late_ns ? late : report.most_late_ns;
        length = 100 * US + (length + step) % (4900 * US);
    }
    check_status("wait", channel_respond_and_wait(HANDLE_REPORT, NULL, 0, NULL, 0, TIME_MAX).status, STATUS_OK);
    check_status("report", channel_respond(HANDLE_REPORT, &report, sizeof report).status, STATUS_OK);
    return 0;
}
