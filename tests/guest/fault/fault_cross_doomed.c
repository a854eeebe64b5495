/* SPDX-License-Identifier: MIT
 * Initiator that learns how it will die, asks once more in vain, and dies. */
#include "handles.h"
#include "tests/guest/fault/fault_cross.h"

int main(void)
{
    uint64_t request = 1, answer = 0x5a5a;
    struct doom doom;
    check_ok("first request", channel_transact(HANDLE_DOOMED, &request, sizeof request, &doom, sizeof doom, TIME_MAX),
             sizeof doom);
    request = 2;
    check_refused("second request",
                  channel_transact(HANDLE_DOOMED, &request, sizeof request, &answer, sizeof answer,
                                   clock_now() + doom.patience_ns),
                  STATUS_DEADLINE_EXCEEDED);
    check_u64("answer after a deadline", answer, 0x5a5a);
    if (!doom.address)
        process_exit(0);
    *(uint64_t *)doom.address = answer;
    tern_failure(STATUS_INTERNAL, "a write to %#lx did no harm", doom.address);
}
