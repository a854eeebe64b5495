/* SPDX-License-Identifier: MIT
 * The story: a supervisor ends its service at any point and starts it again, and the new life meets nothing of the old
 * one: memory as at boot, no request, no answer, no signal, no membership. What the living end had sent stays, what
 * the dead one had sent is gone. A hundred lives in a row, each ended in the middle of a call. */
#include "conductor.h"

#define LIVES 100

static uint64_t request = 5, response;

static void forget_memory(void)
{
    (void)puppet_do(&server_1, DO(POKE, MEMORY(64), 77));
    check_ok("before", puppet_do(&server_1, DO(PEEK, MEMORY(64))), 77);
    puppet_restart(&server_1);
    check_ok("after", puppet_do(&server_1, DO(PEEK, MEMORY(64))), 0);
}

/* The request that the old life had read is nothing to the new one. */
static void forget_request(void)
{
    struct errand errand = {HANDLE_CALL_1, &request, 8, &response, 8, TIME_MAX, {.status = STATUS_UNKNOWN}};
    errand_start(HANDLE_HELPER_1, &errand);
    check_signals("request", puppet_do(&server_1, CALL(object_wait, SERVER_IPC, SIGNAL_READABLE, TIME_MAX)),
                  SIGNAL_READABLE);
    check_ok("read", puppet_do(&server_1, CALL(channel_read, SERVER_IPC, 0, MEMORY(0), 8)), 8);
    puppet_restart(&server_1);
    check_refused("call of before", errand_end(HANDLE_HELPER_1, &errand), STATUS_UNAVAILABLE);
    check_refused("stale signal", puppet_do(&server_1, CALL(object_wait, SERVER_IPC, SIGNAL_VALID, 0)),
                  STATUS_DEADLINE_EXCEEDED);
    check_refused("stale request", puppet_do(&server_1, CALL(channel_read, SERVER_IPC, 0, MEMORY(0), 8)),
                  STATUS_UNAVAILABLE);
    check_refused("stale answer", puppet_do(&server_1, CALL(channel_respond, SERVER_IPC, MEMORY(0), 8)),
                  STATUS_UNAVAILABLE);
    check_server_works(&server_1, HANDLE_CALL_1);
}

/* An answer that the old initiator had not collected. */
static void forget_answer(void)
{
    check_ok("start", puppet_do(&caller, CALL(channel_async_transact, CALLER_IPC, MEMORY(0), 8, MEMORY(8), 8)), 0);
    check_ok("request", channel_respond_and_wait(HANDLE_IPC, NULL, 0, &response, 8, TIME_MAX), 8);
    check_ok("answer", channel_respond(HANDLE_IPC, &request, 8), 0);
    check_status("answer", puppet_do(&caller, CALL(object_wait, CALLER_IPC, SIGNAL_READABLE, TIME_MAX)).status,
                 STATUS_OK);
    puppet_restart(&caller);
    check_signals("stale signal", puppet_do(&caller, CALL(object_wait, CALLER_IPC, SIGNAL_VALID, 0)), SIGNAL_WRITEABLE);
    check_refused("stale answer", puppet_do(&caller, CALL(channel_async_complete, CALLER_IPC)), STATUS_UNAVAILABLE);
    check_refused("stale call", puppet_do(&caller, CALL(channel_async_cancel, CALLER_IPC)), STATUS_UNAVAILABLE);
    check_ok("memory", puppet_do(&caller, DO(PEEK, MEMORY(8))), 0);
}

static void forget_membership(void)
{
    check_ok("add", puppet_do(&server_1, CALL(wait_group_add, SERVER_GROUP, SERVER_IPC, SIGNAL_READABLE, 5)), 0);
    puppet_restart(&server_1);
    check_refused("empty again", puppet_do(&server_1, CALL(object_wait, SERVER_GROUP, SIGNAL_READABLE, TIME_MAX)),
                  STATUS_INVALID_ARGUMENT);
    check_ok("add", puppet_do(&server_1, CALL(wait_group_add, SERVER_GROUP, SERVER_IPC, SIGNAL_READABLE, 5)), 0);
    check_ok("remove", puppet_do(&server_1, CALL(wait_group_remove, SERVER_GROUP, SERVER_IPC)), 0);
}

/* The level and the bits of the living stay, those of the dead go, at once. */
static void keep_what_the_living_sent(void)
{
    check_ok("level to the server", object_set_peer_user_signal(HANDLE_CALL_1, 1), 0);
    check_ok("level to here", puppet_do(&server_1, CALL(object_set_peer_user_signal, SERVER_IPC, 1)), 0);
    check_ok("bits to here", puppet_do(&server_1, CALL(object_notify, SERVER_IPC, 6)), 0);
    check_signals("both", object_wait(HANDLE_CALL_1, SIGNAL_USER, TIME_MAX), SIGNAL_USER | SIGNAL_WRITEABLE);
    puppet_terminate(&server_1);
    check_signals("of the dead", object_wait(HANDLE_CALL_1, SIGNAL_VALID, 0), SIGNAL_ERROR);
    check_refused("bits of the dead", object_take(HANDLE_CALL_1, 0), STATUS_UNAVAILABLE);
    puppet_start(&server_1);
    check_refused("bits of a former life", object_take(HANDLE_CALL_1, 0), STATUS_DEADLINE_EXCEEDED);
    check_ok("bits of this life", puppet_do(&server_1, CALL(object_notify, SERVER_IPC, 1)), 0);
    check_ok("bits of this life", object_take(HANDLE_CALL_1, TIME_MAX), 1);
    check_quiet("level of a former life", HANDLE_CALL_1, SIGNAL_USER);
    check_signals("level of the living", puppet_do(&server_1, CALL(object_wait, SERVER_IPC, SIGNAL_VALID, 0)),
                  SIGNAL_USER);
    check_ok("lower", object_set_peer_user_signal(HANDLE_CALL_1, 0), 0);
    check_ok("bits to the server", object_notify(HANDLE_CALL_1, 9), 0);
    check_status("arrived", puppet_do(&server_1, CALL(object_wait, SERVER_IPC, SIGNAL_USER, TIME_MAX)).status,
                 STATUS_OK);
    puppet_restart(&server_1);
    check_ok("bits of the living", puppet_do(&server_1, CALL(object_take, SERVER_IPC, TIME_MAX)), 9);
}

/* A thread that waits for the end and for the new life of its peer is woken by both. */
static int wait_for_both(uint64_t unused)
{
    (void)unused;
    check_signals("end", object_wait(HANDLE_CALL_1, SIGNAL_ERROR, TIME_MAX), SIGNAL_ERROR);
    check_signals("new life", object_wait(HANDLE_CALL_1, SIGNAL_WRITEABLE, TIME_MAX), SIGNAL_WRITEABLE);
    return 3;
}

static void live_often(void)
{
    helper_start(HANDLE_HELPER_2, wait_for_both, 0);
    for (int i = 0; i < LIVES; i++) {
        struct errand errand = {HANDLE_CALL_1, &request, 8, &response, 8, TIME_MAX, {.status = STATUS_UNKNOWN}};
        errand_start(HANDLE_HELPER_1, &errand);
        helper_let_block();
        puppet_restart(&server_1);
        check_refused("call", errand_end(HANDLE_HELPER_1, &errand), STATUS_UNAVAILABLE);
    }
    check_u64("watcher", (uint64_t)helper_join(HANDLE_HELPER_2), 3);
    check_server_works(&server_1, HANDLE_CALL_1);
}

void story_restart(void)
{
    forget_memory();
    forget_request();
    forget_answer();
    forget_membership();
    keep_what_the_living_sent();
    live_often();
}
