/* SPDX-License-Identifier: MIT
 * The story: two threads of one process share an end. While one of them is in a call the other's is refused, and may
 * cancel the first, which then ends with CANCELLED and frees the channel; so does the end of a thread that is in a
 * call. Two threads that take requests from one handler, or from one group, get each request once; one may answer what
 * the other has read. */
#include "conductor.h"

static uint64_t request = 3, response;
static struct errand errand;

static void block_helper(void)
{
    response = 1;
    errand = (struct errand){HANDLE_CALL_1, &request, 8, &response, 8, TIME_MAX, {.status = STATUS_UNKNOWN}};
    errand_start(HANDLE_HELPER_1, &errand);
    check_signals("request", puppet_do(&server_1, CALL(object_wait, SERVER_IPC, SIGNAL_READABLE, TIME_MAX)),
                  SIGNAL_READABLE);
}

static void check_free(void)
{
    check_refused("answer for nobody", puppet_do(&server_1, CALL(channel_respond, SERVER_IPC, MEMORY(0), 8)),
                  STATUS_UNAVAILABLE);
    check_refused("request of nobody", puppet_do(&server_1, CALL(channel_read, SERVER_IPC, 0, MEMORY(0), 8)),
                  STATUS_UNAVAILABLE);
    check_u64("buffer", response, 1);
    check_signals("free", object_wait(HANDLE_CALL_1, SIGNAL_VALID, 0), SIGNAL_WRITEABLE);
    check_server_works(&server_1, HANDLE_CALL_1);
}

static void refuse_second(void)
{
    uint64_t other = 0;
    block_helper();
    check_refused("second", channel_transact(HANDLE_CALL_1, &request, 8, &other, 8, TIME_MAX),
                  STATUS_FAILED_PRECONDITION);
    check_refused("second, past", channel_transact(HANDLE_CALL_1, &request, 8, &other, 8, 0),
                  STATUS_FAILED_PRECONDITION);
    check_refused("second, async", channel_async_transact(HANDLE_CALL_1, &request, 8, &other, 8),
                  STATUS_FAILED_PRECONDITION);
    check_refused("nothing async", channel_async_complete(HANDLE_CALL_1), STATUS_UNAVAILABLE);
    check_ok("server", puppet_do(&server_1, DO(ECHO, 1, SERVER_IPC, 1)), 0);
    check_ok("first", errand_end(HANDLE_HELPER_1, &errand), 8);
    check_u64("first", response, 4);
}

static void cancel(bool read)
{
    block_helper();
    if (read)
        check_ok("read", puppet_do(&server_1, CALL(channel_read, SERVER_IPC, 0, MEMORY(0), 8)), 8);
    check_ok("cancel", channel_async_cancel(HANDLE_CALL_1), 0);
    check_refused("first", errand_end(HANDLE_HELPER_1, &errand), STATUS_CANCELLED);
    check_refused("cancel again", channel_async_cancel(HANDLE_CALL_1), STATUS_UNAVAILABLE);
    check_free();
}

static void end_thread(bool read)
{
    struct exit_status status;
    block_helper();
    if (read)
        check_ok("read", puppet_do(&server_1, CALL(channel_read, SERVER_IPC, 0, MEMORY(0), 8)), 8);
    check_ok("terminate", task_terminate(HANDLE_HELPER_1), 0);
    check_ok("join", task_join(HANDLE_HELPER_1, &status, sizeof status), sizeof status);
    check_u64("how it ended", status.kind, EXIT_TERMINATED);
    check_free();
}

/* What a taker got. */
static struct taken {
    struct result result;
    uint64_t word;
} taken[2];

static int take_one(uint64_t index)
{
    struct taken *t = &taken[index % 2];
    uint32_t handle = index < 2 ? HANDLE_IPC : HANDLE_GROUP;
    t->result = channel_respond_and_wait(handle, NULL, 0, &t->word, sizeof t->word, TIME_MAX);
    return 0;
}

/* Two threads wait, two requests come over two channels or one after the other over one; each thread gets one. */
static void call(uint32_t remote, uint64_t word)
{
    (void)puppet_do(&caller, DO(POKE, MEMORY(64 * remote), word));
    check_ok(
        "start",
        puppet_do(&caller, CALL(channel_async_transact, remote, MEMORY(64 * remote), 8, MEMORY(64 * remote + 8), 8)),
        0);
}

static void collect(uint32_t remote, uint64_t word)
{
    check_status("over", puppet_do(&caller, CALL(object_wait, remote, SIGNAL_READABLE, TIME_MAX)).status, STATUS_OK);
    check_ok("collect", puppet_do(&caller, CALL(channel_async_complete, remote)), 8);
    check_ok("answer", puppet_do(&caller, DO(PEEK, MEMORY(64 * remote + 8))), word);
}

static void take_from_one_handler(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        helper_start(i ? HANDLE_HELPER_2 : HANDLE_HELPER_1, take_one, i);
        helper_let_block();
    }
    for (uint64_t i = 0; i < 2; i++) {
        call(CALLER_IPC, 100 + i);
        check_u64("taker", (uint64_t)helper_join(i ? HANDLE_HELPER_2 : HANDLE_HELPER_1), 0);
        check_ok("taken", taken[i].result, 8);
        check_u64("taken", taken[i].word, 100 + i);
        uint64_t answer = 200 + i; /* by this thread, which read nothing */
        check_ok("answer", channel_respond(HANDLE_IPC, &answer, 8), 0);
        collect(CALLER_IPC, answer);
    }
}

static void take_from_one_group(void)
{
    check_ok("add", wait_group_add(HANDLE_GROUP, HANDLE_IPC, SIGNAL_READABLE, 0), 0);
    check_ok("add", wait_group_add(HANDLE_GROUP, HANDLE_IPC_2, SIGNAL_READABLE, 1), 0);
    for (uint32_t i = 0; i < 2; i++) {
        helper_start(i ? HANDLE_HELPER_2 : HANDLE_HELPER_1, take_one, 2 + i);
        helper_let_block();
    }
    call(CALLER_IPC, 100);
    check_u64("first taker", (uint64_t)helper_join(HANDLE_HELPER_1), 0);
    check_quiet("second taker", HANDLE_HELPER_2, SIGNAL_JOINABLE);
    call(CALLER_IPC_2, 101);
    check_u64("second taker", (uint64_t)helper_join(HANDLE_HELPER_2), 0);
    for (uint64_t i = 0; i < 2; i++) {
        check_ok("taken", taken[i].result, i);
        check_u64("taken", taken[i].word, 100 + i);
        check_refused("not this thread's", channel_respond_and_wait(HANDLE_GROUP, &i, 8, &response, 8, 0),
                      STATUS_UNAVAILABLE);
        uint64_t answer = 200 + i;
        check_ok("answer", channel_respond(i ? HANDLE_IPC_2 : HANDLE_IPC, &answer, 8), 0);
        collect(i ? CALLER_IPC_2 : CALLER_IPC, answer);
    }
    check_ok("remove", wait_group_remove(HANDLE_GROUP, HANDLE_IPC), 0);
    check_ok("remove", wait_group_remove(HANDLE_GROUP, HANDLE_IPC_2), 0);
}

void story_two_threads(void)
{
    refuse_second();
    cancel(false);
    cancel(true);
    end_thread(false);
    end_thread(true);
    take_from_one_handler();
    take_from_one_group();
}
