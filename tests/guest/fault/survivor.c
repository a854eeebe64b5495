/* SPDX-License-Identifier: MIT
 * Handler that goes on answering while others die around it. */
#include "handles.h"
#include "tests/guest/check.h"

int main(void)
{
    uint64_t value = 0;
    struct result r = channel_respond_and_wait(HANDLE_ECHO, NULL, 0, &value, sizeof value, TIME_MAX);
    for (;;) {
        check_ok("respond and wait", r, sizeof value);
        r = channel_respond_and_wait(HANDLE_ECHO, &value, sizeof value, &value, sizeof value, TIME_MAX);
    }
}
