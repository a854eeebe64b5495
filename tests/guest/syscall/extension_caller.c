/* SPDX-License-Identifier: MIT
 * Caller of the extension_churn test: makes the call whose number comes and goes, tells when it is asked, and stops
 * when it is told to. */
#include "handles.h"
#include "tests/guest/syscall/extension_churn.h"

static void call(struct churn_report *report)
{
    uint64_t a = report->calls * 0x9e3779b97f4a7c15, b = a ^ UINT64_MAX >> 1;
    struct result r = extension_call(CHURN_NUMBER, a, b, 0, 0, 0, 0);
    report->calls++;
    if (r.status == STATUS_UNIMPLEMENTED)
        return;
    check_ok("call", r, a + b);
    report->answered++;
}

/* The answer to what is asked; false when it was to stop. */
static bool tell(const struct churn_report *report)
{
    bool stop = false;
    check_ok("order", channel_read(HANDLE_ORDER, 0, &stop, sizeof stop), sizeof stop);
    check_ok("report", channel_respond(HANDLE_ORDER, report, sizeof *report), 0);
    return !stop;
}

int main(void)
{
    struct churn_report report = {0, 0};
    bool go_on = true;
    while (go_on) {
        for (uint32_t i = 0; i < 16; i++)
            call(&report);
        struct result r = object_wait(HANDLE_ORDER, SIGNAL_READABLE, 0);
        if (r.status == STATUS_OK)
            go_on = tell(&report);
        else
            check_status("order", r.status, STATUS_DEADLINE_EXCEEDED);
        thread_yield();
    }
    return 0;
}
