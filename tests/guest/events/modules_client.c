/* SPDX-License-Identifier: MIT
 * Asks for something that is held, when its router is free, and ends with the outcome. */
#include "handles.h"
#include "tests/guest/check.h"

int main(void)
{
    char answer[8];
    check_signals("free", object_wait(HANDLE_ASK, SIGNAL_WRITEABLE, TIME_MAX), SIGNAL_WRITEABLE);
    return (int)router_request(HANDLE_ASK, "SERVER hold", 11, answer, sizeof answer, TIME_MAX).status;
}
