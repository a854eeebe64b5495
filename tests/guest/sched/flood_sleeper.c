/* SPDX-License-Identifier: MIT
 * The story: a process on CPU 1 floods the log, which belongs to CPU 0. CPU 0 used to collect for ever with interrupts off,
 * so that no deadline there ever came. This process of high priority sleeps on CPU 0 and must wake, late perhaps. */
#include "handles.h"
#include "tests/guest/check.h"

int main(void)
{
    for (int i = 0; i < 3; i++)
        check_sleep_until(HANDLE_FLOOD, clock_now() + 10 * MS);
    tern_success();
}
