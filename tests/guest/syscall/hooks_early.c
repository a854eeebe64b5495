/* SPDX-License-Identifier: MIT
 * The story: with hooks=lockdown the first call of the first process of each CPU finds it there. The other CPUs' are
 * hooks_early_other.c; they report when they have found it. */
#include "handles.h"
#include "tests/guest/syscall/hooks_early.h"

int main(void)
{
    make_first_call();
    static const uint32_t others[] = {HANDLE_OTHER_1, HANDLE_OTHER_2, HANDLE_OTHER_3};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        check_ok("report", channel_respond_and_wait(others[i], NULL, 0, NULL, 0, TIME_MAX), 0);
    tern_success();
}
