/* SPDX-License-Identifier: MIT
 * The story: a handler never waits, it reads and reads until a request is there and answers at once: often while the
 * call that it answers has hardly begun. No answer is lost, no caller sleeps for ever, no answer reaches the call
 * before or after its own. */
#include "conductor.h"

#define ROUNDS_MOST 5000
#define LONGEST (1000 * MS) /* a host that runs one CPU after the other, with both of them spinning */
#define LAST UINT64_MAX

static void call(uint64_t word)
{
    uint64_t answer = ~word;
    check_ok("call", channel_transact(HANDLE_CALL_1, &word, sizeof word, &answer, sizeof answer, TIME_MAX),
             sizeof answer);
    check_u64("answer", answer, word);
}

void story_polling(void)
{
    uint64_t rounds = 0, end = clock_now() + LONGEST;
    puppet_begin(&server_1, DO(POLL, LAST, SERVER_IPC));
    while (rounds < ROUNDS_MOST && clock_now() < end)
        call(rounds++);
    call(LAST);
    check_ok("poll", puppet_end(&server_1), 0);
    tern_log("  %lu rounds", rounds);
}
