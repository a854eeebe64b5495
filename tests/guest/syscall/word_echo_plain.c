/* SPDX-License-Identifier: MIT
 * Server of the tests here: gives back the word that it gets, by three calls. */
#include "handles.h"
#include "tests/guest/check.h"

int main(void)
{
    uint64_t value = 0;
    for (;;) {
        check_status("wait", object_wait(HANDLE_ECHO, SIGNAL_READABLE, TIME_MAX).status, STATUS_OK);
        check_ok("read", channel_read(HANDLE_ECHO, 0, &value, sizeof value), sizeof value);
        check_ok("respond", channel_respond(HANDLE_ECHO, &value, sizeof value), 0);
    }
}
