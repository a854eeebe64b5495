/* SPDX-License-Identifier: MIT
 * The story: one call on a wait group answers the request that it gave last and takes the next one of any member. A
 * request that was taken is not given again; its answer may come later, in any order, by the member's own handle. What
 * is no request comes as signals. An answer that is refused waits for nothing. */
#include "conductor.h"

#define DATA_1 UINT64_C(0xfedcba9876543210)
#define DATA_2 2

static uint64_t words[4];

static struct result next(const void *answer, size_t n, uint64_t deadline_ns)
{
    return channel_respond_and_wait(HANDLE_GROUP, answer, n, words, sizeof words, deadline_ns);
}

static void call_async(uint32_t remote, uint64_t word, size_t n)
{
    check_ok("word", puppet_do(&caller, DO(POKE, MEMORY(256 * remote), word)), 0);
    check_ok("start",
             puppet_do(&caller,
                       CALL(channel_async_transact, remote, MEMORY(256 * remote), n, MEMORY(256 * remote + 128), 8)),
             0);
}

static void collect(uint32_t remote, uint64_t expected)
{
    check_status("over", puppet_do(&caller, CALL(object_wait, remote, SIGNAL_READABLE, TIME_MAX)).status, STATUS_OK);
    check_ok("answer", puppet_do(&caller, CALL(channel_async_complete, remote)), 8);
    check_ok("answer", puppet_do(&caller, DO(PEEK, MEMORY(256 * remote + 128))), expected);
}

static void expect_request(struct result r, uint64_t data, size_t n, uint64_t word)
{
    check_ok("request", r, data);
    check_u64("is a request", result_is_request(r), 1);
    check_u64("its length", result_length(r), n);
    check_u64("its word", words[0], word);
}

static void answer_at_once(void)
{
    uint64_t answer = 21;
    call_async(CALLER_IPC, 11, 8);
    call_async(CALLER_IPC_2, 12, 8);
    expect_request(next(NULL, 0, TIME_MAX), DATA_1, 8, 11);
    expect_request(next(&answer, 8, TIME_MAX), DATA_2, 8, 12);
    answer++;
    check_refused("nothing left", next(&answer, 8, 0), STATUS_DEADLINE_EXCEEDED);
    collect(CALLER_IPC, 21);
    collect(CALLER_IPC_2, 22);
    check_refused("nothing to answer", next(&answer, 8, TIME_MAX), STATUS_UNAVAILABLE);
}

static void answer_later(void)
{
    uint64_t answer = 31;
    call_async(CALLER_IPC, 11, 8);
    call_async(CALLER_IPC_2, 12, 8);
    expect_request(next(NULL, 0, TIME_MAX), DATA_1, 8, 11);
    expect_request(next(NULL, 0, TIME_MAX), DATA_2, 8, 12);
    check_refused("both taken", next(NULL, 0, clock_now() + 1 * MS), STATUS_DEADLINE_EXCEEDED);
    check_ok("read again", channel_read(HANDLE_IPC, 0, words, 8), 8);
    check_ok("second first", channel_respond(HANDLE_IPC_2, &answer, 8), 0);
    answer++;
    check_ok("first second", channel_respond(HANDLE_IPC, &answer, 8), 0);
    collect(CALLER_IPC, 32);
    collect(CALLER_IPC_2, 31);
}

/* The answer that is due goes to the last one that was taken, not to another that is still open. */
static void answer_the_last_one(void)
{
    uint64_t answer = 41;
    call_async(CALLER_IPC, 11, 8);
    expect_request(next(NULL, 0, TIME_MAX), DATA_1, 8, 11);
    call_async(CALLER_IPC_2, 12, 8);
    expect_request(next(NULL, 0, TIME_MAX), DATA_2, 8, 12);
    check_refused("poll", next(&answer, 8, 0), STATUS_DEADLINE_EXCEEDED);
    check_refused("answered", next(&answer, 8, 0), STATUS_UNAVAILABLE);
    collect(CALLER_IPC_2, 41);
    check_quiet("the other one is open", HANDLE_IPC, SIGNAL_ERROR);
    answer++;
    check_ok("other one", channel_respond(HANDLE_IPC, &answer, 8), 0);
    collect(CALLER_IPC, 42);
}

static void refuse(void)
{
    uint64_t answer[2] = {51, 52};
    call_async(CALLER_IPC, 11, 8);
    expect_request(next(NULL, 0, TIME_MAX), DATA_1, 8, 11);
    check_refused("answer too long", next(answer, 9, TIME_MAX), STATUS_OUT_OF_RANGE);
    check_refused("answer from nowhere", next((void *)0x10000, 8, TIME_MAX), STATUS_PERMISSION_DENIED);
    check_refused("answer, then nothing", next(answer, 8, 0), STATUS_DEADLINE_EXCEEDED);
    collect(CALLER_IPC, 51);
}

static void take_long_one(void)
{
    uint64_t rest = 0;
    call_async(CALLER_IPC, 11, 100);
    expect_request(next(NULL, 0, TIME_MAX), DATA_1, 100, 11);
    check_ok("its end", tern_read_exact(HANDLE_IPC, 92, &rest, 8), 8);
    check_ok("answer", channel_respond(HANDLE_IPC, &rest, 8), 0);
    collect(CALLER_IPC, 0);
}

static void take_signals(void)
{
    call_async(CALLER_IPC, 11, 8);
    check_ok("bits", puppet_do(&caller, CALL(object_notify, CALLER_IPC_2, 1)), 0);
    expect_request(next(NULL, 0, TIME_MAX), DATA_1, 8, 11);
    for (int i = 0; i < 2; i++) {
        struct result r = next(NULL, 0, TIME_MAX);
        check_ok("signals", r, DATA_2);
        check_u64("signals", r.signals, SIGNAL_USER);
    }
    check_ok("take", object_take(HANDLE_IPC_2, 0), 1);
    check_refused("nothing left", next(&words[0], 8, 0), STATUS_DEADLINE_EXCEEDED);
    collect(CALLER_IPC, 11);
}

/* It gives up or dies after its request was taken. */
static void outlive(void)
{
    uint64_t answer = 1;
    call_async(CALLER_IPC, 11, 8);
    expect_request(next(NULL, 0, TIME_MAX), DATA_1, 8, 11);
    check_ok("cancel", puppet_do(&caller, CALL(channel_async_cancel, CALLER_IPC)), 0);
    check_refused("answer for nobody", next(&answer, 8, TIME_MAX), STATUS_UNAVAILABLE);
    call_async(CALLER_IPC, 12, 8);
    expect_request(next(NULL, 0, TIME_MAX), DATA_1, 8, 12);
    puppet_restart(&caller);
    check_refused("answer to the dead", next(&answer, 8, TIME_MAX), STATUS_UNAVAILABLE);
    check_refused("nothing pending", next(NULL, 0, 0), STATUS_DEADLINE_EXCEEDED);
    check_refused("told by the channel, too", channel_respond(HANDLE_IPC, &answer, 8), STATUS_UNAVAILABLE);
}

void story_take_request(void)
{
    check_refused("empty group", next(NULL, 0, TIME_MAX), STATUS_INVALID_ARGUMENT);
    check_ok("add", wait_group_add(HANDLE_GROUP, HANDLE_IPC, SIGNAL_READABLE, DATA_1), 0);
    check_ok("add", wait_group_add(HANDLE_GROUP, HANDLE_IPC_2, SIGNAL_READABLE | SIGNAL_USER, DATA_2), 0);
    check_refused("nothing taken yet", next(words, 8, TIME_MAX), STATUS_UNAVAILABLE);
    answer_at_once();
    answer_later();
    answer_the_last_one();
    refuse();
    take_long_one();
    take_signals();
    outlive();
    check_ok("remove", wait_group_remove(HANDLE_GROUP, HANDLE_IPC), 0);
    check_ok("remove", wait_group_remove(HANDLE_GROUP, HANDLE_IPC_2), 0);
}
