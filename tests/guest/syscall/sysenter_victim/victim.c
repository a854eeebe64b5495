/* SPDX-License-Identifier: MIT
 * Victim of the sysenter_bytes test: makes a call by an instruction of its own when it is told to. */
#include "handles.h"
#include "tests/guest/check.h"

void sysenter_in_a_constant(void);

int main(void)
{
    check_status("order", object_wait(HANDLE_ORDER, SIGNAL_READABLE, TIME_MAX).status, STATUS_OK);
    check_ok("order", channel_read(HANDLE_ORDER, 0, NULL, 0), 0);
    sysenter_in_a_constant();
    tern_failure(STATUS_INTERNAL, "SYSENTER outside the vDSO did no harm");
}
