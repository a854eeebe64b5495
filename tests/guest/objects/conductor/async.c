/* SPDX-License-Identifier: MIT
 * The story: a call is started and goes on by itself. It is collected once, not before it is over; it can be cancelled
 * at any time, and then nothing is written any more; while it is under way its end takes no other. Three servers work
 * at the same time for a hundred rounds, each answer collected as a group tells it. A server's death ends it, too. */
#include "conductor.h"

#define ROUNDS 100

static uint64_t request, response;

static void start(void)
{
    request = 70;
    response = 1;
    check_ok("start", channel_async_transact(HANDLE_CALL_1, &request, 8, &response, 8), 0);
}

static void check_idle(void)
{
    check_refused("nothing to collect", channel_async_complete(HANDLE_CALL_1), STATUS_UNAVAILABLE);
    check_refused("nothing to cancel", channel_async_cancel(HANDLE_CALL_1), STATUS_UNAVAILABLE);
    check_signals("idle", object_wait(HANDLE_CALL_1, SIGNAL_VALID, 0), SIGNAL_WRITEABLE);
}

static void check_under_way(void)
{
    check_quiet("under way", HANDLE_CALL_1, SIGNAL_VALID);
    check_refused("early", channel_async_complete(HANDLE_CALL_1), STATUS_FAILED_PRECONDITION);
    check_refused("second", channel_async_transact(HANDLE_CALL_1, &request, 8, &response, 8),
                  STATUS_FAILED_PRECONDITION);
    check_refused("second", channel_transact(HANDLE_CALL_1, &request, 8, &response, 8, TIME_MAX),
                  STATUS_FAILED_PRECONDITION);
    check_refused("no answer", object_wait(HANDLE_CALL_1, SIGNAL_READABLE, clock_now() + 10 * MS),
                  STATUS_DEADLINE_EXCEEDED);
}

static void check_over(void)
{
    check_signals("over", object_wait(HANDLE_CALL_1, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
}

static void cancel_pending(bool read)
{
    start();
    check_under_way();
    if (read)
        check_ok("read", puppet_do(&server_1, CALL(channel_read, SERVER_IPC, 0, MEMORY(0), 8)), 8);
    check_ok("cancel", channel_async_cancel(HANDLE_CALL_1), 0);
    check_idle();
    check_refused("answer", puppet_do(&server_1, CALL(channel_respond, SERVER_IPC, MEMORY(0), 8)), STATUS_UNAVAILABLE);
    check_refused("read", puppet_do(&server_1, CALL(channel_read, SERVER_IPC, 0, MEMORY(0), 8)), STATUS_UNAVAILABLE);
    check_u64("buffer", response, 1);
    check_server_works(&server_1, HANDLE_CALL_1);
}

static void collect(void)
{
    start();
    check_ok("server", puppet_do(&server_1, DO(ECHO, 1, SERVER_IPC, 1)), 0);
    check_over();
    check_refused("collect first", channel_transact(HANDLE_CALL_1, &request, 8, &response, 8, TIME_MAX),
                  STATUS_FAILED_PRECONDITION);
    check_ok("collect", channel_async_complete(HANDLE_CALL_1), 8);
    check_u64("response", response, 71);
    check_idle();
    check_server_works(&server_1, HANDLE_CALL_1);
}

static void collect_nothing(void)
{
    check_ok("start", channel_async_transact(HANDLE_CALL_1, NULL, 0, NULL, 0), 0);
    check_ok("server", puppet_do(&server_1, CALL(channel_respond_and_wait, SERVER_IPC, 0, 0, 0, 0, TIME_MAX)), 0);
    check_ok("server", puppet_do(&server_1, CALL(channel_respond, SERVER_IPC, 0, 0)), 0);
    check_over();
    check_ok("collect", channel_async_complete(HANDLE_CALL_1), 0);
    check_idle();
}

static void cancel_answered(void)
{
    start();
    check_ok("server", puppet_do(&server_1, DO(ECHO, 1, SERVER_IPC, 1)), 0);
    check_over();
    check_ok("cancel", channel_async_cancel(HANDLE_CALL_1), 0);
    check_idle();
}

static void refuse(void)
{
    check_refused("bad request", channel_async_transact(HANDLE_CALL_1, (void *)0x10000, 8, &response, 8),
                  STATUS_PERMISSION_DENIED);
    check_refused("bad buffer", channel_async_transact(HANDLE_CALL_1, &request, 8, NULL, 8), STATUS_INVALID_ARGUMENT);
    check_refused("handler", channel_async_transact(HANDLE_IPC, &request, 8, &response, 8), STATUS_UNIMPLEMENTED);
    check_refused("handler", channel_async_complete(HANDLE_IPC), STATUS_UNIMPLEMENTED);
    check_refused("handler", channel_async_cancel(HANDLE_IPC), STATUS_UNIMPLEMENTED);
    check_idle();
}

static void outlive_the_server(bool read)
{
    start();
    if (read)
        check_ok("read", puppet_do(&server_1, CALL(channel_read, SERVER_IPC, 0, MEMORY(0), 8)), 8);
    puppet_terminate(&server_1);
    check_signals("over", object_wait(HANDLE_CALL_1, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE | SIGNAL_ERROR);
    puppet_start(&server_1);
    check_over();
    check_refused("collect", channel_async_complete(HANDLE_CALL_1), STATUS_UNAVAILABLE);
    check_u64("buffer", response, 1);
    check_idle();
    check_server_works(&server_1, HANDLE_CALL_1);
}

/* An answer that came before its server died is an answer. */
static void collect_from_the_dead(void)
{
    start();
    check_ok("server", puppet_do(&server_1, DO(ECHO, 1, SERVER_IPC, 1)), 0);
    check_over();
    puppet_terminate(&server_1);
    check_refused("no other", channel_transact(HANDLE_CALL_1, &request, 8, &response, 8, TIME_MAX), STATUS_UNAVAILABLE);
    check_ok("collect", channel_async_complete(HANDLE_CALL_1), 8);
    check_u64("response", response, 71);
    check_signals("dead", object_wait(HANDLE_CALL_1, SIGNAL_VALID, 0), SIGNAL_ERROR);
    puppet_start(&server_1);
    check_idle();
}

static const uint32_t calls[] = {HANDLE_CALL_1, HANDLE_CALL_2, HANDLE_CALL_3};
static const struct puppet *const servers[] = {&server_1, &server_2, &server_3};

static void work_in_parallel(void)
{
    uint64_t requests[3] = {0}, responses[3] = {0};
    for (uint64_t i = 0; i < 3; i++) {
        puppet_begin(servers[i], DO(ECHO, ROUNDS, SERVER_IPC, i + 1));
        check_ok("add", wait_group_add(HANDLE_GROUP, calls[i], SIGNAL_READABLE, i), 0);
        check_ok("start", channel_async_transact(calls[i], &requests[i], 8, &responses[i], 8), 0);
    }
    for (uint64_t left = 3 * ROUNDS; left > 0; left--) {
        struct result r = object_wait(HANDLE_GROUP, SIGNAL_READABLE, TIME_MAX);
        check_status("one is over", r.status, STATUS_OK);
        uint64_t i = r.value;
        check_at_most("user data", i, 2);
        check_ok("collect", channel_async_complete(calls[i]), 8);
        check_u64("response", responses[i], requests[i] + i + 1);
        requests[i] = responses[i];
        if (requests[i] < ROUNDS * (i + 1))
            check_ok("start", channel_async_transact(calls[i], &requests[i], 8, &responses[i], 8), 0);
    }
    for (uint64_t i = 0; i < 3; i++) {
        check_ok("remove", wait_group_remove(HANDLE_GROUP, calls[i]), 0);
        check_ok("echo", puppet_end(servers[i]), 0);
        check_u64("sum", responses[i], ROUNDS * (i + 1));
    }
}

void story_async(void)
{
    check_idle();
    cancel_pending(false);
    cancel_pending(true);
    collect();
    collect_nothing();
    cancel_answered();
    refuse();
    outlive_the_server(false);
    outlive_the_server(true);
    collect_from_the_dead();
    work_in_parallel();
}
