/* SPDX-License-Identifier: MIT
 * The story: 64 threads are each blocked in a call to one process, without a deadline, when that process dies with half
 * of the requests read. All of them return with UNAVAILABLE and nothing in their buffers, though nobody has joined the
 * dead. Then it starts again, and the next 64 calls end the same way: no channel is left with anything. */
#include "handles.h"
#include "tests/guest/check.h"

#define CROWD 64
#define LIVES 3

_Static_assert(HANDLE_C63 == CROWD - 1 && HANDLE_T63 == HANDLE_T0 + CROWD - 1, "handles in a row");

static uint64_t answers[CROWD];

static int call(uint64_t i)
{
    struct result r = channel_transact((uint32_t)i, &i, sizeof i, &answers[i], sizeof answers[i], TIME_MAX);
    check_refused("call to the doomed", r, STATUS_UNAVAILABLE);
    return (int)i;
}

static void live(void)
{
    struct exit_status status;
    for (uint32_t i = 0; i < CROWD; i++) {
        answers[i] = 5;
        check_signals("free", object_wait(i, SIGNAL_WRITEABLE, TIME_MAX), SIGNAL_WRITEABLE);
        check_ok("start", tern_thread_start(HANDLE_T0 + i, call, i), 0);
    }
    for (uint32_t i = 0; i < CROWD; i++) {
        check_signals("returned", object_wait(HANDLE_T0 + i, SIGNAL_JOINABLE, TIME_MAX), SIGNAL_JOINABLE);
        check_ok("join", task_join(HANDLE_T0 + i, &status, sizeof status), sizeof status);
        check_u64("code", (uint64_t)status.code, i);
        check_u64("answer", answers[i], 5);
        check_signals("peer is dead", object_wait(i, SIGNAL_VALID, 0), SIGNAL_ERROR);
    }
    check_signals("dead", object_wait(HANDLE_DOOMED, SIGNAL_JOINABLE, TIME_MAX), SIGNAL_JOINABLE);
    check_ok("join", task_join(HANDLE_DOOMED, &status, sizeof status), sizeof status);
    check_u64("how it died", status.kind, EXIT_EXCEPTION);
}

int main(void)
{
    for (int i = 0; i < LIVES; i++) {
        live();
        check_ok("start again", process_start(HANDLE_DOOMED), 0);
    }
    tern_success();
}
