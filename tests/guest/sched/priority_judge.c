/* SPDX-License-Identifier: MIT
 * The story: three spinners of equal, low priority share a CPU with this process of high priority. Their answer to it
 * pre-empts them: it runs, for a millisecond, before they run again. Its timer pre-empts them too: it is never kept
 * waiting for the end of a time slice. They pre-empt each other in turn: all get a share, in more than one slice. */
#include "handles.h"
#include "tests/guest/sched/priority.h"

#define SPINNERS 3
static const uint32_t spinners[SPINNERS] = {HANDLE_SPINNER_A, HANDLE_SPINNER_B, HANDLE_SPINNER_C};

static void busy_until(uint64_t time_ns)
{
    while (clock_now() < time_ns) {
    }
}

/* Gives the order; returns the time until which the spinner may not have run. */
static uint64_t start(uint32_t handle, uint64_t stop_ns)
{
    struct spin_order order = {stop_ns};
    check_ok("order", channel_transact(handle, &order, sizeof order, &order, sizeof order, TIME_MAX), sizeof order);
    uint64_t until = clock_now() + JUDGE_BUSY_NS;
    busy_until(until);
    return until;
}

static void try_timer(void)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < 10; i++) {
        uint64_t deadline = clock_now() + 1 * MS;
        check_sleep_until(spinners[0], deadline);
        uint64_t late = clock_now() - deadline;
        least = late < least ? late : least;
    }
    check_at_most("least lateness beside spinners", least, 1 * MS);
}

int main(void)
{
    uint64_t busy_until_ns[SPINNERS];
    uint64_t stop = clock_now() + SPIN_NS;
    for (size_t i = 0; i < SPINNERS; i++)
        busy_until_ns[i] = start(spinners[i], stop);
    try_timer();
    for (size_t i = 0; i < SPINNERS; i++) {
        struct spin_report report;
        check_ok("report", channel_transact(spinners[i], &i, sizeof i, &report, sizeof report, TIME_MAX),
                 sizeof report);
        check_at_least("time at which the spinner went on", report.answered_ns, busy_until_ns[i]);
        check_at_least("time the spinner ran", report.ran_ns, SPIN_SHARE_NS);
        check_at_least("its slices", report.slices, 2);
        tern_log("spinner %zu: ran %lu us in %lu slices", i, report.ran_ns / US, report.slices);
    }
    tern_success();
}
