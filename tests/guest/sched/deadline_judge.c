/* SPDX-License-Identifier: MIT
 * The story: four processes sleep 60 times each, at the same time, on one CPU. No sleep ends early; at least one of
 * each process's ends within a millisecond, as a one-shot timer does and a tick of 10 ms does not. */
#include "handles.h"
#include "tests/guest/sched/deadline.h"

int main(void)
{
    static const uint32_t sleepers[] = {HANDLE_SLEEPER_A, HANDLE_SLEEPER_B, HANDLE_SLEEPER_C, HANDLE_SLEEPER_D};
    for (size_t i = 0; i < sizeof sleepers / sizeof sleepers[0]; i++) {
        struct deadline_report report;
        check_ok("report", channel_transact(sleepers[i], &i, sizeof i, &report, sizeof report, TIME_MAX),
                 sizeof report);
        check_u64("sleeps", report.sleeps, DEADLINE_SLEEPS);
        check_at_most("least lateness", report.least_late_ns, 1 * MS);
        tern_log("sleeper %zu: late by %lu to %lu ns", i, report.least_late_ns, report.most_late_ns);
    }
    tern_success();
}
