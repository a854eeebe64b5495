/* SPDX-License-Identifier: MIT
 * Handler of the entry test: answers at once, or so that the client is ready beside it and both yield to each other. */
#include "handles.h"
#include "tests/guest/entry/call.h"

static uint64_t order, answer;

static void wait_for_order(void)
{
    ENTRY_MAKE("wait", channel_respond_and_wait, STATUS_OK, sizeof order, HANDLE_REQUEST, 0, 0, (uint64_t)&order,
               sizeof order, TIME_MAX);
}

int main(void)
{
    wait_for_order();
    for (;;) {
        answer = ~order;
        if (order == ENTRY_YIELD) {
            ENTRY_MAKE("respond", channel_respond, STATUS_OK, 0, HANDLE_REQUEST, (uint64_t)&answer, sizeof answer);
            ENTRY_MAKE("give-way", thread_yield, STATUS_OK, 0, 0);
            wait_for_order();
        } else {
            ENTRY_MAKE("answer", channel_respond_and_wait, STATUS_OK, sizeof order, HANDLE_REQUEST, (uint64_t)&answer,
                       sizeof answer, (uint64_t)&order, sizeof order, TIME_MAX);
        }
    }
}
