/* SPDX-License-Identifier: MIT
 * Initiator of the stress test: calls two handlers by turns, most calls with a deadline that may pass at any point of
 * the transaction. An answer is the one to this very request. After a deadline both buffers are reused at once: the
 * request's for the next call, and the answer's is filled with a pattern that must still be there some calls later. */
#include "handles.h"
#include "tests/guest/ipc/stress.h"

#define ROUNDS 5000
#define ANSWERS 4 /* buffers, by turns: a late write has three calls' time to happen */
#define UNTOUCHED 0xa5a5a5a5a5a5a5a5ul
#define DEADLINE_MAX_US 50

static struct stress_message request, answers[ANSWERS];

static void answer_clear(struct stress_message *m)
{
    uint64_t *word = (uint64_t *)m;
    for (size_t i = 0; i < sizeof *m / sizeof *word; i++)
        word[i] = UNTOUCHED;
}

static void answer_check_clear(const struct stress_message *m)
{
    const uint64_t *word = (const uint64_t *)m;
    for (size_t i = 0; i < sizeof *m / sizeof *word; i++)
        check_u64("word of an answer that came too late", word[i], UNTOUCHED);
}

/* One call; whether it was answered. */
static bool call(uint32_t handle, uint64_t sequence, struct stress_message *answer)
{
    answer_check_clear(answer);
    stress_fill(&request, STRESS_REQUEST, sequence, stress_random() % (STRESS_WORDS_MAX + 1));
    uint64_t deadline = TIME_MAX;
    if (stress_random() % 4)
        deadline = clock_now() + stress_random() % (DEADLINE_MAX_US * US);
    struct result r = channel_transact(handle, &request, stress_bytes(&request), answer, sizeof *answer, deadline);
    if (r.status == STATUS_DEADLINE_EXCEEDED) {
        check_at_least("time after a deadline", clock_now(), deadline);
        return false;
    }
    check_status("transact", r.status, STATUS_OK);
    check_u64("sequence of an answer", answer->sequence, sequence);
    stress_check("answer", answer, STRESS_ANSWER, r.value);
    answer_clear(answer);
    return true;
}

int main(void)
{
    static const uint32_t handlers[] = {HANDLE_COMBINED, HANDLE_PLAIN};
    uint64_t answered = 0;
    for (size_t i = 0; i < ANSWERS; i++)
        answer_clear(&answers[i]);
    for (uint64_t round = 0; round < ROUNDS; round++)
        answered += call(handlers[stress_random() % 2], round, &answers[round % ANSWERS]);
    for (size_t i = 0; i < ANSWERS; i++)
        answer_check_clear(&answers[i]);
    tern_log("stress: process %u on CPU %u: %lu of %u calls answered", tern_vvar()->process, cpu_id(), answered,
             ROUNDS);
    check_ok("report", channel_transact(HANDLE_DONE, &answered, sizeof answered, NULL, 0, TIME_MAX), 0);
    process_exit(0);
}
