/* SPDX-License-Identifier: MIT
 * The story: a supervisor starts, ends and joins another process; each step only when it is due, and what is not due is
 * refused and changes nothing. A process can be ended wherever it is, also before it has begun to run again. A process
 * cannot be its own supervisor. */
#include "conductor.h"

static struct exit_status status;

static struct result join(void)
{
    return task_join(HANDLE_SERVER_1, &status, sizeof status);
}

static void go_round(void)
{
    check_quiet("runs", HANDLE_SERVER_1, SIGNAL_VALID);
    check_refused("join while it runs", join(), STATUS_UNAVAILABLE);
    check_refused("start while it runs", process_start(HANDLE_SERVER_1), STATUS_ALREADY_EXISTS);
    check_ok("terminate", task_terminate(HANDLE_SERVER_1), 0);
    check_signals("ended", object_wait(HANDLE_SERVER_1, SIGNAL_JOINABLE, TIME_MAX), SIGNAL_JOINABLE);
    check_refused("terminate what has ended", task_terminate(HANDLE_SERVER_1), STATUS_FAILED_PRECONDITION);
    check_refused("start what is not joined", process_start(HANDLE_SERVER_1), STATUS_FAILED_PRECONDITION);
    check_refused("join into nothing", task_join(HANDLE_SERVER_1, NULL, 8), STATUS_INVALID_ARGUMENT);
    check_ok("join", join(), sizeof status);
    check_u64("kind", status.kind, EXIT_TERMINATED);
    check_quiet("joined", HANDLE_SERVER_1, SIGNAL_VALID);
    check_refused("join again", join(), STATUS_FAILED_PRECONDITION);
    check_refused("terminate what is joined", task_terminate(HANDLE_SERVER_1), STATUS_FAILED_PRECONDITION);
    check_ok("start", process_start(HANDLE_SERVER_1), 0);
    check_refused("start again", process_start(HANDLE_SERVER_1), STATUS_ALREADY_EXISTS);
    check_signals("alive", object_wait(HANDLE_SERVER_1_CONTROL, SIGNAL_WRITEABLE, TIME_MAX), SIGNAL_WRITEABLE);
    check_server_works(&server_1, HANDLE_CALL_1);
}

/* A second order to end what is ending is no error, and is not told twice. */
static void end_twice(void)
{
    check_ok("terminate", task_terminate(HANDLE_SERVER_1), 0);
    struct result r = task_terminate(HANDLE_SERVER_1);
    if (r.status != STATUS_FAILED_PRECONDITION)
        check_ok("terminate again", r, 0);
    (void)puppet_join(&server_1);
    check_refused("told twice", object_wait(HANDLE_SERVER_1, SIGNAL_JOINABLE, clock_now() + 5 * MS),
                  STATUS_DEADLINE_EXCEEDED);
    check_ok("start", process_start(HANDLE_SERVER_1), 0);
    check_ok("terminate what just starts", task_terminate(HANDLE_SERVER_1), 0);
    status = puppet_join(&server_1);
    check_u64("kind", status.kind, EXIT_TERMINATED);
    puppet_start(&server_1);
    check_server_works(&server_1, HANDLE_CALL_1);
}

static void end_anywhere(void)
{
    const struct order *const places[] = {
        DO(SPIN),
        CALL(object_wait, SERVER_IPC, SIGNAL_READABLE, TIME_MAX),
        CALL(channel_respond_and_wait, SERVER_IPC, 0, 0, MEMORY(0), 8, TIME_MAX),
        CALL(object_take, SERVER_IPC, TIME_MAX),
        CALL(object_wait, SERVER_PROCESS, SIGNAL_JOINABLE, TIME_MAX),
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        puppet_begin(&server_1, places[i]);
        helper_let_block();
        puppet_restart(&server_1);
        check_server_works(&server_1, HANDLE_CALL_1);
    }
}

static void refuse(void)
{
    check_refused("no such handle", task_terminate(HANDLE_PROCESS + 1), STATUS_OUT_OF_RANGE);
    check_refused("no such handle", process_start(UINT32_MAX), STATUS_OUT_OF_RANGE);
    check_refused("no such handle", task_join(HANDLE_PROCESS + 1, &status, sizeof status), STATUS_OUT_OF_RANGE);
    check_refused("channel", task_terminate(HANDLE_IPC), STATUS_UNIMPLEMENTED);
    check_refused("channel", process_start(HANDLE_IPC), STATUS_UNIMPLEMENTED);
    check_refused("group", task_join(HANDLE_GROUP, &status, sizeof status), STATUS_UNIMPLEMENTED);
    check_refused("start itself", process_start(HANDLE_PROCESS), STATUS_ALREADY_EXISTS);
    check_refused("join itself", task_join(HANDLE_PROCESS, &status, sizeof status), STATUS_UNAVAILABLE);
    check_quiet("itself", HANDLE_PROCESS, SIGNAL_VALID);
    check_refused("channel operation", channel_read(HANDLE_PROCESS, 0, &status, 4), STATUS_UNIMPLEMENTED);
}

/* It has a handle of itself, and may use it for its end. */
static void end_itself(void)
{
    puppet_begin(&server_1, CALL(task_terminate, SERVER_PROCESS));
    status = puppet_join(&server_1);
    check_u64("kind", status.kind, EXIT_TERMINATED);
    puppet_start(&server_1);
}

void story_processes(void)
{
    for (int i = 0; i < 2; i++)
        go_round();
    end_twice();
    end_anywhere();
    refuse();
    end_itself();
    check_server_works(&server_1, HANDLE_CALL_1);
}
