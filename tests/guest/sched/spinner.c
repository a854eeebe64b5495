/* SPDX-License-Identifier: MIT
 * One of three processes of equal priority that never give up the CPU until the ordered time. Steps of the clock
 * between two looks tell it when others ran. */
#include "handles.h"
#include "tests/guest/sched/priority.h"

static void spin(uint64_t stop_ns, struct spin_report *report)
{
    uint64_t last = clock_now();
    report->slices = 1;
    while (last < stop_ns) {
        uint64_t now = clock_now();
        if (now - last > SPIN_GAP_NS)
            report->slices++;
        else
            report->ran_ns += now - last;
        last = now;
    }
}

int main(void)
{
    struct spin_order order;
    struct spin_report report = {0, 0, 0};
    struct result r = channel_respond_and_wait(HANDLE_ORDER, NULL, 0, &order, sizeof order, TIME_MAX);
    check_ok("order", r, sizeof order);
    check_status("answer", channel_respond(HANDLE_ORDER, &order, sizeof order).status, STATUS_OK);
    report.answered_ns = clock_now();
    spin(order.stop_ns, &report);
    check_status("wait", channel_respond_and_wait(HANDLE_ORDER, NULL, 0, NULL, 0, TIME_MAX).status, STATUS_OK);
    check_status("report", channel_respond(HANDLE_ORDER, &report, sizeof report).status, STATUS_OK);
    return 0;
}
