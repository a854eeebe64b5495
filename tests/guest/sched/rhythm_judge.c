/* SPDX-License-Identifier: MIT
 * The story: two spinners of equal priority share a CPU with this more urgent process, which runs 5 ms of every 11 ms. In that
 * rhythm each slice of 10 ms ends while this process runs; a slice that was forgotten then gave its owner a new one each time,
 * and the other spinner never ran. Both must get a fair share. */
#include "handles.h"
#include "tests/guest/sched/priority.h"

#define RHYTHM_NS (600 * MS)

static void order(uint32_t handle, uint64_t stop_ns)
{
    struct spin_order order = {stop_ns};
    check_ok("order", channel_transact(handle, &order, sizeof order, &order, sizeof order, TIME_MAX), sizeof order);
}

static void judge(uint32_t handle)
{
    struct spin_report report;
    check_ok("report", channel_transact(handle, NULL, 0, &report, sizeof report, TIME_MAX), sizeof report);
    tern_log("spinner: ran %lu us in %lu slices", report.ran_ns / US, report.slices);
    check_at_least("time the spinner ran", report.ran_ns, RHYTHM_NS / 6);
}

int main(void)
{
    uint64_t now = clock_now(), stop = now + RHYTHM_NS;
    order(HANDLE_SPINNER_A, stop);
    order(HANDLE_SPINNER_B, stop);
    for (uint64_t turn = now; turn < stop; turn += 11 * MS) {
        check_sleep_until(HANDLE_SPINNER_A, turn);
        while (clock_now() < turn + 5 * MS) {
        }
    }
    judge(HANDLE_SPINNER_A);
    judge(HANDLE_SPINNER_B);
    tern_success();
}
