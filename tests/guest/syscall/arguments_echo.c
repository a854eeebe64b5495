/* SPDX-License-Identifier: MIT
 * Echo of the arguments test: gives back what it gets, or nothing if the other has no room for it. */
#include "handles.h"
#include "tests/guest/check.h"

static unsigned char buffer[64];

static struct result answer(uint64_t bytes)
{
    return channel_respond_and_wait(HANDLE_ECHO, buffer, bytes, buffer, sizeof buffer, TIME_MAX);
}

int main(void)
{
    struct result r = channel_respond_and_wait(HANDLE_ECHO, NULL, 0, buffer, sizeof buffer, TIME_MAX);
    for (;;) {
        check_status("respond and wait", r.status, STATUS_OK);
        check_at_most("length of a request", r.value, sizeof buffer);
        r = answer(r.value);
        if (r.status == STATUS_OUT_OF_RANGE)
            r = answer(0);
    }
}
