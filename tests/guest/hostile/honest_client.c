/* SPDX-License-Identifier: MIT
 * Calls the hostile server, which may do what it likes with its own memory but not with this one; then its friend,
 * with whom all is as ever. */
#include "handles.h"
#include "tests/guest/hostile/hostile.h"

static struct guarded request, response;

static void call_trap(uint64_t n, uint64_t room)
{
    memset(response.bytes, GUARD, sizeof response.bytes);
    struct result r = channel_transact(HANDLE_TRAP, request.bytes, n, response.bytes, room, clock_now() + 2 * MS);
    if (r.status != STATUS_OK)
        check_refused("trap", r, STATUS_DEADLINE_EXCEEDED);
    else
        check_at_most("length of an answer", r.value, room);
    size_t got = r.status == STATUS_OK ? r.value : 0;
    check_bytes("answer of the trap", &response, got);
    check_unwritten("behind the answer of the trap", &response, got, LONGEST);
    check_guard("beside the answer", &response);
    check_guard("beside the request", &request);
}

static void call_friend(uint64_t word)
{
    uint64_t answer = ~word;
    check_ok("echo", channel_transact(HANDLE_ECHO, &word, sizeof word, &answer, sizeof answer, TIME_MAX),
             sizeof answer);
    check_u64("echo", answer, word);
}

int main(void)
{
    guard(&request);
    guard(&response);
    memset(request.bytes, TOP_BIT | 3, sizeof request.bytes); /* this ends up in an arena */
    uint64_t rounds = tern_argument_u64("iterations", ROUNDS) / 10;
    for (uint64_t i = 0; i < rounds; i++) {
        call_trap(i * 7 % 600, i * 13 % LONGEST);
        call_friend(i);
    }
    tern_log("%s: %lu rounds", PROCESS_NAME, rounds);
    return 0;
}
