/* SPDX-License-Identifier: MIT
 * The story: a thread starts, does something that all of the process see, and ends with a code; it is joined and starts
 * again. It can be ended wherever it is: spinning, ready, or in any call that waits. Whatever does not fit its state is
 * refused and changes nothing. Sleep is never early. */
#include "conductor.h"

static uint64_t effect;

static int leave_effect(uint64_t argument)
{
    effect = argument;
    return 42;
}

static int spin(uint64_t spins)
{
    while (spins < UINT64_MAX)
        spins |= clock_now() & 1;
    return 1;
}

static int exit_deep(uint64_t argument)
{
    thread_exit((int)argument);
}

static int wait_for_user(uint64_t handle)
{
    return (int)object_wait((uint32_t)handle, SIGNAL_USER, TIME_MAX).status;
}

static int call_for_ever(uint64_t handle)
{
    return (int)channel_transact((uint32_t)handle, NULL, 0, NULL, 0, TIME_MAX).status;
}

static int serve_for_ever(uint64_t handle)
{
    return (int)channel_respond_and_wait((uint32_t)handle, NULL, 0, NULL, 0, TIME_MAX).status;
}

static int take_for_ever(uint64_t handle)
{
    return (int)object_take((uint32_t)handle, TIME_MAX).status;
}

static int sleep_for_ever(uint64_t unused)
{
    (void)unused;
    tern_sleep_until(TIME_MAX - 1);
    return 1;
}

static int end_itself(uint64_t handle)
{
    (void)task_terminate((uint32_t)handle);
    return 1;
}

static void check_joinable(enum exit_kind kind, int code)
{
    struct exit_status status;
    memset(&status, 0xff, sizeof status);
    check_signals("end", object_wait(HANDLE_HELPER_1, SIGNAL_JOINABLE, TIME_MAX), SIGNAL_JOINABLE);
    check_refused("terminate what has ended", task_terminate(HANDLE_HELPER_1), STATUS_FAILED_PRECONDITION);
    check_refused("start what is not joined", tern_thread_start(HANDLE_HELPER_1, leave_effect, 0),
                  STATUS_FAILED_PRECONDITION);
    check_ok("join", task_join(HANDLE_HELPER_1, &status, sizeof status), sizeof status);
    check_u64("kind", status.kind, kind);
    check_u64("code", (uint64_t)status.code, (uint64_t)code);
    check_quiet("joined", HANDLE_HELPER_1, SIGNAL_VALID);
    check_refused("join again", task_join(HANDLE_HELPER_1, &status, sizeof status), STATUS_FAILED_PRECONDITION);
    check_refused("terminate what is joined", task_terminate(HANDLE_HELPER_1), STATUS_FAILED_PRECONDITION);
}

static void end_by_itself(void)
{
    struct exit_status status;
    check_refused("join before the start", task_join(HANDLE_HELPER_1, &status, sizeof status),
                  STATUS_FAILED_PRECONDITION);
    check_refused("terminate before the start", task_terminate(HANDLE_HELPER_1), STATUS_FAILED_PRECONDITION);
    for (uint64_t i = 0; i < 3; i++) {
        effect = 0;
        helper_start(HANDLE_HELPER_1, leave_effect, 100 + i);
        check_joinable(EXIT_CODE, 42);
        check_u64("effect", effect, 100 + i);
    }
    helper_start(HANDLE_HELPER_1, exit_deep, (uint64_t)-3);
    check_joinable(EXIT_CODE, -3);
    helper_start(HANDLE_HELPER_1, end_itself, HANDLE_HELPER_1);
    check_joinable(EXIT_TERMINATED, 0);
}

static const struct {
    const char *where;
    int (*body)(uint64_t);
    uint64_t argument;
} places[] = {
    {"object_wait", wait_for_user, HANDLE_IPC},
    {"object_wait on a group", wait_for_user, HANDLE_GROUP},
    {"channel_transact", call_for_ever, HANDLE_CALL_2},
    {"channel_respond_and_wait", serve_for_ever, HANDLE_IPC},
    {"channel_respond_and_wait on a group", serve_for_ever, HANDLE_GROUP},
    {"object_take", take_for_ever, HANDLE_IPC},
    {"sleep", sleep_for_ever, 0},
    {"spinning", spin, 0},
};

static void end_anywhere(void)
{
    struct exit_status status;
    check_ok("add", wait_group_add(HANDLE_GROUP, HANDLE_IPC_2, SIGNAL_READABLE, 0), 0);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        helper_start(HANDLE_HELPER_1, places[i].body, places[i].argument);
        helper_let_block();
        check_refused(places[i].where, task_join(HANDLE_HELPER_1, &status, sizeof status), STATUS_UNAVAILABLE);
        check_refused(places[i].where, tern_thread_start(HANDLE_HELPER_1, leave_effect, 0), STATUS_ALREADY_EXISTS);
        check_quiet(places[i].where, HANDLE_HELPER_1, SIGNAL_VALID);
        check_ok(places[i].where, task_terminate(HANDLE_HELPER_1), 0);
        check_joinable(EXIT_TERMINATED, 0);
    }
    check_ok("remove", wait_group_remove(HANDLE_GROUP, HANDLE_IPC_2), 0);
    check_caller_works(HANDLE_IPC, CALLER_IPC);
    check_caller_works(HANDLE_IPC_2, CALLER_IPC_2);
    check_server_works(&server_2, HANDLE_CALL_2);
}

/* It never ran: ended while it is ready. */
static void end_before_it_runs(void)
{
    effect = 5;
    helper_start(HANDLE_HELPER_1, leave_effect, 6);
    if (task_terminate(HANDLE_HELPER_1).status == STATUS_OK)
        check_u64("effect of one that never ran", effect, 5);
    struct exit_status status;
    check_signals("end", object_wait(HANDLE_HELPER_1, SIGNAL_JOINABLE, TIME_MAX), SIGNAL_JOINABLE);
    check_ok("join", task_join(HANDLE_HELPER_1, &status, sizeof status), sizeof status);
}

static void refuse(void)
{
    struct exit_status status = {.kind = 99, .code = 98};
    check_refused("kernel entry", thread_start(HANDLE_HELPER_1, 0xffffffff80200000, 0, 0), STATUS_INVALID_ARGUMENT);
    check_refused("odd entry", thread_start(HANDLE_HELPER_1, UINT64_C(1) << 63, 0, 0), STATUS_INVALID_ARGUMENT);
    check_refused("entry at the end", thread_start(HANDLE_HELPER_1, USER_END, 0, 0), STATUS_INVALID_ARGUMENT);
    check_refused("thread_start of a process", thread_start(HANDLE_SERVER_1, 0x1000, 0, 0), STATUS_UNIMPLEMENTED);
    check_refused("process_start of a thread", process_start(HANDLE_HELPER_1), STATUS_UNIMPLEMENTED);
    check_refused("running", tern_thread_start(HANDLE_MAIN, leave_effect, 0), STATUS_ALREADY_EXISTS);
    check_refused("itself", task_join(HANDLE_MAIN, &status, sizeof status), STATUS_UNAVAILABLE);
    helper_start(HANDLE_HELPER_1, leave_effect, 1);
    check_signals("end", object_wait(HANDLE_HELPER_1, SIGNAL_JOINABLE, TIME_MAX), SIGNAL_JOINABLE);
    check_refused("null", task_join(HANDLE_HELPER_1, NULL, sizeof status), STATUS_INVALID_ARGUMENT);
    check_refused("text", task_join(HANDLE_HELPER_1, (struct exit_status *)(uintptr_t)refuse, sizeof status),
                  STATUS_PERMISSION_DENIED);
    check_ok("first 4 bytes", task_join(HANDLE_HELPER_1, &status, 4), 4);
    check_u64("kind", status.kind, EXIT_CODE);
    check_u64("not written", (uint64_t)status.code, 98);
}

static void sleep(void)
{
    for (uint64_t ms = 1; ms <= 100; ms *= 10) {
        uint64_t deadline = clock_now() + ms * MS;
        tern_sleep_until(deadline);
        check_at_least("time after a sleep", clock_now(), deadline);
    }
}

void story_threads(void)
{
    end_by_itself();
    end_anywhere();
    end_before_it_runs();
    refuse();
    sleep();
}
