/* SPDX-License-Identifier: MIT
 * An honest process among the fuzzing ones: asks its server, checks each answer, and rests a little. */
#include "handles.h"
#include "tests/guest/fuzz/fuzz.h"
#include "tests/guest/ipc/stress.h"

#define ROUNDS 50
#define REST_NS_MAX MS

struct fuzz_report fuzz_report;
uint64_t fuzz_state;
static struct stress_message request, answer;

static void exchange(uint64_t sequence)
{
    stress_fill(&request, STRESS_REQUEST, sequence, fuzz_below(STRESS_WORDS_MAX + 1));
    struct result r =
        COUNTED(channel_transact)(HANDLE_SERVER, &request, stress_bytes(&request), &answer, sizeof answer, TIME_MAX);
    check_status("honest transact", r.status, STATUS_OK);
    stress_check("honest answer", &answer, STRESS_ANSWER, r.value);
    check_u64("sequence of an honest answer", answer.sequence, sequence);
    fuzz_report.calls[NUMBER_channel_respond_and_wait]++; /* the server's, which has no way to report */
    fuzz_report.work++;
}

int main(void)
{
    uint64_t sequence = 0;
    fuzz_random_begin();
    for (;;) {
        (void)fuzz_ask(HANDLE_JUDGE);
        for (int i = 0; i < ROUNDS; i++) {
            exchange(sequence++);
            check_refused("honest rest",
                          COUNTED(object_wait)(HANDLE_PROCESS, SIGNAL_NEVER, clock_now() + fuzz_below(REST_NS_MAX)),
                          STATUS_DEADLINE_EXCEEDED);
        }
    }
}
