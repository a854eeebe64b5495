/* SPDX-License-Identifier: MIT
 * Server of the tests here: gives back the word that it gets, by one call. */
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
