/* SPDX-License-Identifier: MIT
 * The puppet that calls: each report is a request, and the answer is the next order. */
#include "handles.h"
#include "tests/guest/objects/puppet.h"

_Static_assert(+HANDLE_CONTROL == CALLER_CONTROL && +HANDLE_IPC == CALLER_IPC && +HANDLE_IPC_2 == CALLER_IPC_2 &&
                   +HANDLE_GROUP == CALLER_GROUP && +HANDLE_PROCESS == CALLER_PROCESS,
               "as the conductor believes");

int main(void)
{
    struct report report = {0};
    for (;;) {
        struct order order;
        check_status("order", tern_call(HANDLE_CONTROL, &report, &order, TIME_MAX), STATUS_OK);
        if (order.deed == DEED_RETURN)
            return (int)order.a[0];
        report = report_of(perform(&order));
    }
}
