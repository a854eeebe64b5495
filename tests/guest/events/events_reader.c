/* SPDX-License-Identifier: MIT
 * Two subscriptions for the same events: LAST hears after KEPT, so what was read of LAST is in KEPT too. */
#include "handles.h"
#include "tests/guest/check.h"
#include "tests/guest/events/events.h"

static void wait_for(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct event e;
        check_signals("LAST", object_wait(HANDLE_LAST, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
        check_ok("one of LAST", event_read(HANDLE_LAST, &e, sizeof e), 1);
    }
    struct event none;
    check_refused("LAST has no more", event_read(HANDLE_LAST, &none, sizeof none), STATUS_UNAVAILABLE);
}

int main(void)
{
    struct reader_request request;
    struct reader_answer answer = {0};
    check_ok("first", channel_respond_and_wait(HANDLE_IPC, NULL, 0, &request, sizeof request, TIME_MAX),
             sizeof request);
    for (;;) {
        struct event events[8];
        wait_for(request.wait_for);
        enum status signalled = object_wait(HANDLE_KEPT, SIGNAL_READABLE, 0).status;
        struct result r = event_read(HANDLE_KEPT, events, sizeof events);
        check_u64("the signal says whether there are any", signalled == STATUS_OK, r.status == STATUS_OK);
        answer = (struct reader_answer){.status = r.status};
        if (r.status == STATUS_OK) {
            answer.count = result_events(r);
            answer.lost = result_lost(r);
        }
        for (uint32_t i = 0; i < answer.count; i++)
            answer.numbers[i] = events[i].value;
        check_ok("next",
                 channel_respond_and_wait(HANDLE_IPC, &answer, sizeof answer, &request, sizeof request, TIME_MAX),
                 sizeof request);
    }
}
