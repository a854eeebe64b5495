/* SPDX-License-Identifier: MIT
 * The server of an honest client: one channel_respond_and_wait for each request, which it checks. */
#include "handles.h"
#include "tests/guest/ipc/stress.h"

static struct stress_message message;

int main(void)
{
    const void *response = NULL;
    size_t bytes = 0;
    for (uint64_t sequence = 0;; sequence++) {
        struct result r = channel_respond_and_wait(HANDLE_CLIENT, response, bytes, &message, sizeof message, TIME_MAX);
        check_status("honest respond and wait", r.status, STATUS_OK);
        stress_check("honest request", &message, STRESS_REQUEST, r.value);
        check_u64("sequence of an honest request", message.sequence, sequence);
        stress_fill(&message, STRESS_ANSWER, sequence, stress_random() % (STRESS_WORDS_MAX + 1));
        response = &message;
        bytes = stress_bytes(&message);
    }
}
