/* SPDX-License-Identifier: MIT
 * Initiator that goes on asking while others die around it. */
#include "handles.h"
#include "tests/guest/check.h"

int main(void)
{
    for (uint64_t value = 0;; value++) {
        uint64_t answer = ~value;
        struct result r = channel_transact(HANDLE_LIVING, &value, sizeof value, &answer, sizeof answer, TIME_MAX);
        check_ok("living", r, sizeof answer);
        check_u64("answer to the living", answer, value);
    }
}
