/* SPDX-License-Identifier: MIT
 * Process of the hooks_early test on another CPU than the boot CPU. */
#include "handles.h"
#include "tests/guest/syscall/hooks_early.h"

int main(void)
{
    make_first_call();
    (void)channel_transact(HANDLE_REPORT, NULL, 0, NULL, 0, TIME_MAX); /* the judge ends the machine, not this call */
    return 0;
}
