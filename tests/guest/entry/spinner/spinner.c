/* SPDX-License-Identifier: MIT
 * Handler of the entry test, less urgent than the others: a timer interrupt hits it in user mode while it spins, and
 * nothing of its registers may change by that. Then its answer is too late. */
#include "handles.h"
#include "tests/guest/check.h"

/* Executes that many instructions; false: a register changed meanwhile. */
bool spin(uint64_t instructions);

int main(void)
{
    for (;;) {
        uint64_t n = 0;
        struct result r = channel_respond_and_wait(HANDLE_REQUEST, NULL, 0, &n, sizeof n, TIME_MAX);
        check_ok("spinner", r, sizeof n);
        if (!spin(n))
            tern_failure(STATUS_INTERNAL, "a register of the spinner has changed");
        r = channel_respond(HANDLE_REQUEST, &n, sizeof n);
        if (n == 0)
            check_ok("answer", r, 0);
        else
            check_refused("late answer", r, STATUS_UNAVAILABLE);
    }
}
