/* SPDX-License-Identifier: MIT
 * Answers whoever calls. */
#include "handles.h"
#include "tests/guest/check.h"

int main(void)
{
    uint64_t word = 0;
    for (uint32_t handle = HANDLE_CALL_0; handle <= HANDLE_CALL_9; handle++)
        check_ok("add", wait_group_add(HANDLE_GROUP, handle, SIGNAL_READABLE, handle), 0);
    const uint64_t *answer = NULL;
    for (;;) {
        struct result r = channel_respond_and_wait(HANDLE_GROUP, answer, sizeof word, &word, sizeof word, TIME_MAX);
        check_status("request", r.status, STATUS_OK);
        answer = &word;
    }
}
