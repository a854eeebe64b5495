/* SPDX-License-Identifier: MIT
 * The story: a call whose deadline is past returns without a wait, and the handler never hears of it. When a deadline
 * passes in the middle, the request is withdrawn whether it was read or not, a late answer is refused and written
 * nowhere, and the next call is served as ever. If answer and deadline meet, both sides agree on who came first. */
#include "conductor.h"

#define RECEIVE 4096
#define RACES 300

static uint64_t word;

static void never_begins(void)
{
    uint64_t deadlines[] = {0, 1, clock_now()};
    for (size_t i = 0; i < 3; i++) {
        check_refused(
            "past deadline",
            puppet_do(&caller, CALL(channel_transact, CALLER_IPC, MEMORY(0), 8, MEMORY(RECEIVE), 8, deadlines[i])),
            STATUS_DEADLINE_EXCEEDED);
        check_quiet("past deadline", HANDLE_IPC, SIGNAL_READABLE | SIGNAL_ERROR);
        check_refused("past deadline", channel_read(HANDLE_IPC, 0, &word, 8), STATUS_UNAVAILABLE);
    }
}

/* A request that is given up; read before, or not. */
static void ask_and_give_up(bool read)
{
    (void)puppet_do(&caller, DO(FILL, MEMORY(RECEIVE), 64, 6));
    uint64_t deadline = clock_now() + 20 * MS;
    puppet_begin(&caller, CALL(channel_transact, CALLER_IPC, MEMORY(0), 8, MEMORY(RECEIVE), 64, deadline));
    struct result r = object_wait(HANDLE_IPC, SIGNAL_READABLE, deadline);
    bool begun = r.status == STATUS_OK && read && channel_read(HANDLE_IPC, 0, &word, 8).status == STATUS_OK;
    check_refused("given up", puppet_end(&caller), STATUS_DEADLINE_EXCEEDED);
    check_at_least("time of giving up", clock_now(), deadline);
    while (object_wait(HANDLE_IPC, SIGNAL_READABLE, 0).status == STATUS_OK)
        thread_yield();
    check_refused("late answer", channel_respond(HANDLE_IPC, &word, 8), STATUS_UNAVAILABLE);
    if (!begun)
        check_refused("late read", channel_read(HANDLE_IPC, 0, &word, 8), STATUS_UNAVAILABLE);
    check_ok("buffer after giving up", puppet_do(&caller, DO(COMPARE, MEMORY(RECEIVE), 64, 6)), 64);
    check_caller_works(HANDLE_IPC, CALLER_IPC);
}

/* The next request arrives before the handler answers the one that was given up: that answer is for nobody. */
static void answer_too_late(void)
{
    uint64_t deadline = clock_now() + 20 * MS;
    (void)puppet_do(&caller, DO(POKE, MEMORY(RECEIVE), 5));
    puppet_begin(&caller, CALL(channel_transact, CALLER_IPC, MEMORY(0), 8, MEMORY(RECEIVE), 8, deadline));
    struct result r = channel_respond_and_wait(HANDLE_IPC, NULL, 0, &word, 8, deadline);
    check_refused("given up", puppet_end(&caller), STATUS_DEADLINE_EXCEEDED);
    puppet_begin(&caller, CALL(channel_transact, CALLER_IPC, MEMORY(0), 8, MEMORY(RECEIVE), 8, TIME_MAX));
    while (object_wait(HANDLE_IPC, SIGNAL_READABLE, 0).status != STATUS_OK)
        thread_yield();
    if (r.status == STATUS_OK)
        check_refused("answer to the one before", channel_respond(HANDLE_IPC, &word, 8), STATUS_UNAVAILABLE);
    check_ok("second request", channel_respond_and_wait(HANDLE_IPC, NULL, 0, &word, 8, TIME_MAX), 8);
    word = 6;
    check_ok("second answer", channel_respond(HANDLE_IPC, &word, 8), 0);
    check_ok("second answer", puppet_end(&caller), 8);
    check_ok("second answer", puppet_do(&caller, DO(PEEK, MEMORY(RECEIVE))), 6);
}

static enum status race_once(uint64_t i)
{
    uint64_t answer = UINT64_MAX;
    struct race_request request = {clock_now() + 200 * US, i};
    uint64_t deadline = request.due_ns + i % 7 * 10 * US;
    struct result r = channel_transact(HANDLE_CALL_1, &request, sizeof request, &answer, sizeof answer, deadline);
    if (r.status == STATUS_OK) {
        check_u64("answer at its deadline", answer, i);
    } else {
        check_refused("race", r, STATUS_DEADLINE_EXCEEDED);
        check_u64("buffer after a race", answer, UINT64_MAX);
    }
    return r.status;
}

static void race(void)
{
    static enum status seen[RACES];
    struct race_request last = {0, RACES};
    uint64_t answered = 0;
    puppet_begin(&server_1, DO(RACE, RACES, SERVER_IPC, MEMORY(0)));
    for (uint64_t i = 0; i < RACES; i++)
        seen[i] = race_once(i);
    check_ok("last race", channel_transact(HANDLE_CALL_1, &last, sizeof last, &word, 8, TIME_MAX), 8);
    check_ok("races", puppet_end(&server_1), 0);
    for (uint64_t i = 0; i < RACES; i++) {
        struct result r = puppet_do(&server_1, DO(PEEK, MEMORY(8 * i)));
        check_u64("what the handler was told", r.value == STATUS_OK, seen[i] == STATUS_OK);
        answered += seen[i] == STATUS_OK;
    }
    tern_log("races: %lu answered, %lu given up", answered, RACES - answered);
}

void story_deadline(void)
{
    never_begins();
    ask_and_give_up(true);
    ask_and_give_up(false);
    answer_too_late();
    race();
}
