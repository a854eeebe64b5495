/* SPDX-License-Identifier: MIT
 * The story: what a wait group takes and what it refuses; that a member is told as long as its signal is there, with
 * the user data that it was added with, in turns with the others; and that whoever waits is woken: by a signal, by a
 * member that is added with its signal on, by the last member's going. */
#include "conductor.h"

static struct result add(uint32_t object, uint32_t mask, uint64_t data)
{
    return wait_group_add(HANDLE_GROUP, object, mask, data);
}

static struct result wait(uint64_t deadline_ns)
{
    return object_wait(HANDLE_GROUP, SIGNAL_READABLE, deadline_ns);
}

static void leave(uint32_t object)
{
    check_ok("remove", wait_group_remove(HANDLE_GROUP, object), 0);
}

static void refuse(void)
{
    check_refused("no bit", add(HANDLE_IPC, 0, 1), STATUS_INVALID_ARGUMENT);
    check_refused("bit 4", add(HANDLE_IPC, 1u << 4 | SIGNAL_READABLE, 1), STATUS_INVALID_ARGUMENT);
    check_refused("bit 31", add(HANDLE_IPC, 1u << 31, 1), STATUS_INVALID_ARGUMENT);
    check_refused("itself", add(HANDLE_GROUP, SIGNAL_READABLE, 1), STATUS_INVALID_ARGUMENT);
    check_refused("group", add(HANDLE_GROUP_2, SIGNAL_READABLE, 1), STATUS_INVALID_ARGUMENT);
    check_refused("histogram", add(HANDLE_TIMES, SIGNAL_READABLE, 1), STATUS_UNIMPLEMENTED);
    check_refused("no such object", add(HANDLE_PROCESS + 1, SIGNAL_READABLE, 1), STATUS_OUT_OF_RANGE);
    check_refused("no group", wait_group_add(HANDLE_IPC, HANDLE_IPC_2, SIGNAL_READABLE, 1), STATUS_UNIMPLEMENTED);
    check_refused("no member", wait_group_remove(HANDLE_GROUP, HANDLE_IPC), STATUS_NOT_FOUND);
    check_refused("group that is no member", wait_group_remove(HANDLE_GROUP, HANDLE_GROUP_2), STATUS_NOT_FOUND);
    check_refused("empty", wait(TIME_MAX), STATUS_INVALID_ARGUMENT);
    check_refused("empty", wait(0), STATUS_INVALID_ARGUMENT);
    check_ok("add", add(HANDLE_IPC, SIGNAL_READABLE, 1), 0);
    check_refused("twice", add(HANDLE_IPC, SIGNAL_READABLE, 1), STATUS_RESOURCE_EXHAUSTED);
    check_refused("second group", wait_group_add(HANDLE_GROUP_2, HANDLE_IPC, SIGNAL_READABLE, 1),
                  STATUS_RESOURCE_EXHAUSTED);
    check_refused("other group", wait_group_remove(HANDLE_GROUP_2, HANDLE_IPC), STATUS_NOT_FOUND);
    check_refused("no mask", object_wait(HANDLE_GROUP, 0, 0), STATUS_INVALID_ARGUMENT);
    check_refused("quiet", wait(0), STATUS_DEADLINE_EXCEEDED);
    check_refused("quiet", wait(clock_now() + 1 * MS), STATUS_DEADLINE_EXCEEDED);
    leave(HANDLE_IPC);
    check_refused("removed", wait_group_remove(HANDLE_GROUP, HANDLE_IPC), STATUS_NOT_FOUND);
    check_refused("empty again", wait(TIME_MAX), STATUS_INVALID_ARGUMENT);
    check_ok("into the other", wait_group_add(HANDLE_GROUP_2, HANDLE_IPC, SIGNAL_READABLE, 1), 0);
    check_ok("out of the other", wait_group_remove(HANDLE_GROUP_2, HANDLE_IPC), 0);
}

static void call_async(uint32_t remote)
{
    check_ok("start", puppet_do(&caller, CALL(channel_async_transact, remote, MEMORY(0), 8, MEMORY(64 * remote), 8)),
             0);
}

static void collect(uint32_t remote)
{
    check_status("collected", puppet_do(&caller, CALL(object_wait, remote, SIGNAL_READABLE, TIME_MAX)).status,
                 STATUS_OK);
    check_ok("collected", puppet_do(&caller, CALL(channel_async_complete, remote)), 8);
}

static void serve(uint32_t handle)
{
    uint64_t word;
    check_ok("read", channel_read(handle, 0, &word, 8), 8);
    check_ok("answer", channel_respond(handle, &word, 8), 0);
}

static void expect(struct result r, uint64_t data, uint32_t signals)
{
    check_ok("user data", r, data);
    check_u64("signals of the member", r.signals, signals);
}

/* A, B, A, B: as long as both are there, and then only the one that is left. */
static void take_turns(void)
{
    const uint64_t a = UINT64_MAX, b = UINT64_C(0x8000000000000001);
    check_ok("add", add(HANDLE_IPC, SIGNAL_READABLE, a), 0);
    check_ok("add", add(HANDLE_IPC_2, SIGNAL_READABLE | SIGNAL_USER, b), 0);
    call_async(CALLER_IPC);
    call_async(CALLER_IPC_2);
    for (int i = 0; i < 3; i++) {
        expect(wait(TIME_MAX), a, SIGNAL_READABLE);
        expect(wait(0), b, SIGNAL_READABLE);
    }
    serve(HANDLE_IPC);
    expect(wait(TIME_MAX), b, SIGNAL_READABLE);
    check_ok("raise", puppet_do(&caller, CALL(object_set_peer_user_signal, CALLER_IPC, 1)), 0);
    check_ok("raise", puppet_do(&caller, CALL(object_set_peer_user_signal, CALLER_IPC_2, 1)), 0);
    expect(wait(TIME_MAX), b, SIGNAL_READABLE | SIGNAL_USER);
    serve(HANDLE_IPC_2);
    expect(wait(TIME_MAX), b, SIGNAL_USER);
    check_ok("lower", puppet_do(&caller, CALL(object_set_peer_user_signal, CALLER_IPC_2, 0)), 0);
    check_refused("nothing of the mask", wait(0), STATUS_DEADLINE_EXCEEDED);
    check_ok("lower", puppet_do(&caller, CALL(object_set_peer_user_signal, CALLER_IPC, 0)), 0);
    collect(CALLER_IPC);
    collect(CALLER_IPC_2);
    leave(HANDLE_IPC);
    leave(HANDLE_IPC_2);
}

/* A member that leaves while it is signalled is not told any more. */
static void leave_signalled(void)
{
    check_ok("add", add(HANDLE_IPC, SIGNAL_READABLE, 1), 0);
    check_ok("add", add(HANDLE_IPC_2, SIGNAL_READABLE, 2), 0);
    call_async(CALLER_IPC);
    leave(HANDLE_IPC);
    check_refused("member that left", wait(0), STATUS_DEADLINE_EXCEEDED);
    check_ok("back", add(HANDLE_IPC, SIGNAL_READABLE, 3), 0);
    expect(wait(0), 3, SIGNAL_READABLE);
    serve(HANDLE_IPC);
    collect(CALLER_IPC);
    leave(HANDLE_IPC);
    leave(HANDLE_IPC_2);
}

static struct result waited[2];

static int wait_once(uint64_t index)
{
    waited[index] = wait(TIME_MAX);
    return (int)index;
}

static void start_waiter(uint32_t index)
{
    waited[index].status = STATUS_UNKNOWN;
    helper_start(index ? HANDLE_HELPER_2 : HANDLE_HELPER_1, wait_once, index);
    helper_let_block();
}

static bool has_ended(uint32_t helper)
{
    helper_let_block();
    return object_wait(helper, SIGNAL_JOINABLE, 0).status == STATUS_OK;
}

static void wake_by_add(void)
{
    check_ok("add", add(HANDLE_IPC, SIGNAL_READABLE, 1), 0);
    start_waiter(0);
    check_u64("waits", has_ended(HANDLE_HELPER_1), 0);
    call_async(CALLER_IPC_2);
    check_ok("add", add(HANDLE_IPC_2, SIGNAL_READABLE, 2), 0);
    (void)helper_join(HANDLE_HELPER_1);
    expect(waited[0], 2, SIGNAL_READABLE);
    serve(HANDLE_IPC_2);
    collect(CALLER_IPC_2);
    leave(HANDLE_IPC_2);
    leave(HANDLE_IPC);
}

static void wake_by_the_last_leaving(void)
{
    check_ok("add", add(HANDLE_IPC, SIGNAL_READABLE, 1), 0);
    check_ok("add", add(HANDLE_IPC_2, SIGNAL_READABLE, 2), 0);
    start_waiter(0);
    start_waiter(1);
    leave(HANDLE_IPC);
    check_u64("still one member", has_ended(HANDLE_HELPER_1) || has_ended(HANDLE_HELPER_2), 0);
    leave(HANDLE_IPC_2);
    for (uint32_t i = 0; i < 2; i++) {
        (void)helper_join(i ? HANDLE_HELPER_2 : HANDLE_HELPER_1);
        check_refused("last one left", waited[i], STATUS_INVALID_ARGUMENT);
    }
}

/* A level is there for all who wait; who comes later finds it as well. */
static void wake_all(void)
{
    check_ok("add", add(HANDLE_IPC, SIGNAL_USER, 1), 0);
    check_ok("add", add(HANDLE_IPC_2, SIGNAL_USER, 2), 0);
    start_waiter(0);
    start_waiter(1);
    check_ok("bits", puppet_do(&caller, CALL(object_notify, CALLER_IPC_2, 1)), 0);
    (void)helper_join(HANDLE_HELPER_1);
    (void)helper_join(HANDLE_HELPER_2);
    expect(waited[0], 2, SIGNAL_USER);
    expect(waited[1], 2, SIGNAL_USER);
    expect(wait(0), 2, SIGNAL_USER);
    check_ok("take", object_take(HANDLE_IPC_2, 0), 1);
    check_refused("taken", wait(0), STATUS_DEADLINE_EXCEEDED);
    leave(HANDLE_IPC_2);
    leave(HANDLE_IPC);
}

static int end_at_once(uint64_t code)
{
    return (int)code;
}

static void hear_of_tasks(void)
{
    check_ok("add", add(HANDLE_HELPER_1, SIGNAL_JOINABLE, 1), 0);
    check_ok("add", add(HANDLE_SERVER_2, SIGNAL_JOINABLE, 2), 0);
    helper_start(HANDLE_HELPER_1, end_at_once, 5);
    expect(wait(TIME_MAX), 1, SIGNAL_JOINABLE);
    check_u64("code", (uint64_t)helper_join(HANDLE_HELPER_1), 5);
    check_ok("terminate", task_terminate(HANDLE_SERVER_2), 0);
    expect(wait(TIME_MAX), 2, SIGNAL_JOINABLE);
    (void)puppet_join(&server_2);
    check_refused("both joined", wait(0), STATUS_DEADLINE_EXCEEDED);
    puppet_start(&server_2);
    leave(HANDLE_HELPER_1);
    leave(HANDLE_SERVER_2);
}

/* Of both ends: the death of the peer is ERROR of the member. */
static void hear_of_death(void)
{
    check_ok("add", add(HANDLE_CALL_2, SIGNAL_ERROR, 7), 0);
    check_ok("add", add(HANDLE_IPC, SIGNAL_ERROR, 8), 0);
    check_refused("all alive", wait(0), STATUS_DEADLINE_EXCEEDED);
    puppet_terminate(&server_2);
    expect(wait(TIME_MAX), 7, SIGNAL_ERROR);
    puppet_start(&server_2);
    puppet_terminate(&caller);
    expect(wait(TIME_MAX), 8, SIGNAL_ERROR);
    puppet_start(&caller);
    check_refused("all alive again", wait(0), STATUS_DEADLINE_EXCEEDED);
    leave(HANDLE_CALL_2);
    leave(HANDLE_IPC);
}

void story_wait_group(void)
{
    refuse();
    take_turns();
    leave_signalled();
    wake_by_add();
    wake_by_the_last_leaving();
    wake_all();
    hear_of_tasks();
    hear_of_death();
}
