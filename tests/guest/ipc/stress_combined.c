/* SPDX-License-Identifier: MIT
 * Handler of the stress test that serves by channel_respond_and_wait, at once or after a while. An answer that is
 * refused came too late; then it waits only. */
#include "handles.h"
#include "tests/guest/ipc/stress.h"

static struct stress_message message;

static void dawdle(void)
{
    uint64_t how = stress_random() % 8;
    if (how == 0)
        stress_spin_until(clock_now() + stress_random() % (60 * US));
    else if (how == 1)
        check_sleep_until(HANDLE_COMBINED, clock_now() + stress_random() % (30 * US));
}

int main(void)
{
    const void *response = NULL;
    size_t bytes = 0;
    uint64_t last = 0;
    for (;;) {
        struct result r =
            channel_respond_and_wait(HANDLE_COMBINED, response, bytes, &message, sizeof message, TIME_MAX);
        if (r.status == STATUS_UNAVAILABLE) {
            if (!response)
                process_exit(0); /* the initiator is gone */
            response = NULL, bytes = 0;
            continue;
        }
        check_status("respond and wait", r.status, STATUS_OK);
        stress_check("request", &message, STRESS_REQUEST, r.value);
        check_at_least("sequence of a request", message.sequence + 1, last + 1);
        last = message.sequence + 1;
        dawdle();
        stress_fill(&message, STRESS_ANSWER, message.sequence, stress_random() % (STRESS_WORDS_MAX + 1));
        response = &message;
        bytes = stress_bytes(&message);
    }
}
