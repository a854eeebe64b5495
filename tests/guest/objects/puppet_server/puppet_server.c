/* SPDX-License-Identifier: MIT
 * The puppet that serves: each request is an order, and the answer is the report. */
#include "handles.h"
#include "tests/guest/objects/puppet.h"

_Static_assert(+HANDLE_CONTROL == SERVER_CONTROL && +HANDLE_IPC == SERVER_IPC && +HANDLE_GROUP == SERVER_GROUP &&
                   (+HANDLE_PROCESS == SERVER_PROCESS || +HANDLE_PROCESS == WORKSHOP_PROCESS),
               "as the conductor believes");

int main(void)
{
    struct report report = {0};
    const void *answer = NULL;
    for (;;) {
        struct order order;
        struct result r =
            channel_respond_and_wait(HANDLE_CONTROL, answer, sizeof report, &order, sizeof order, TIME_MAX);
        check_ok("order", r, sizeof order);
        answer = &report;
        if (order.begin || order.deed == DEED_RETURN) {
            check_status("begun", channel_respond(HANDLE_CONTROL, answer, sizeof report).status, STATUS_OK);
            answer = NULL;
        }
        if (order.deed == DEED_RETURN)
            return (int)order.a[0];
        if (order.deed != DEED_COLLECT)
            report = report_of(perform(&order));
    }
}
