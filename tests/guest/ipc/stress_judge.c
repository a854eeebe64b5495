/* SPDX-License-Identifier: MIT
 * Judge of the stress test: hears from each initiator that it is through, and that it neither timed out always nor
 * never. */
#include "handles.h"
#include "tests/guest/ipc/stress.h"

int main(void)
{
    static const uint32_t done[] = {HANDLE_DONE_0, HANDLE_DONE_1, HANDLE_DONE_2, HANDLE_DONE_3};
    for (size_t i = 0; i < sizeof done / sizeof done[0]; i++) {
        uint64_t answered = 0;
        check_ok("report", channel_respond_and_wait(done[i], NULL, 0, &answered, sizeof answered, TIME_MAX),
                 sizeof answered);
        check_at_least("calls answered", answered, 1);
        check_status("receipt", channel_respond(done[i], NULL, 0).status, STATUS_OK);
    }
    tern_success();
}
