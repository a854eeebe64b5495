/* SPDX-License-Identifier: MIT
 * The story: a process ends with its last thread, whichever that is, and with that thread's code; the end of its main
 * thread alone is not the end. A fault or process_exit in any thread ends all. The next life begins with its main
 * thread only. All of it in server 3, which has two threads more than it needs. */
#include "conductor.h"

#define START(worker, body, argument) CALL(thread_start, worker, FUNCTION(FUNCTION_ENTRY), FUNCTION(body), argument)

static struct result start_worker(uint32_t worker, enum puppet_function body, uint64_t argument)
{
    return puppet_do(&server_3, START(worker, body, argument));
}

static void expect_end(enum exit_kind kind, int code)
{
    struct exit_status status = puppet_join(&server_3);
    check_u64("kind", status.kind, kind);
    check_u64("code", (uint64_t)status.code, (uint64_t)code);
    puppet_start(&server_3);
    check_server_works(&server_3, HANDLE_CALL_3);
}

static void work(void)
{
    struct result r;
    check_ok("start", start_worker(WORKSHOP_WORKER_1, FUNCTION_WRITE, MEMORY(0)), 0);
    r = puppet_do(&server_3, CALL(object_wait, WORKSHOP_WORKER_1, SIGNAL_JOINABLE, TIME_MAX));
    check_signals("end", r, SIGNAL_JOINABLE);
    check_ok("effect", puppet_do(&server_3, DO(PEEK, MEMORY(0))), 77);
    check_ok("join", puppet_do(&server_3, CALL(task_join, WORKSHOP_WORKER_1, MEMORY(64), 8)), 8);
    check_ok("status", puppet_do(&server_3, DO(PEEK, MEMORY(64))), EXIT_CODE | UINT64_C(42) << 32);
}

static void end_main_first(void)
{
    check_ok("start", start_worker(WORKSHOP_WORKER_1, FUNCTION_WAIT, SERVER_IPC), 0);
    puppet_begin(&server_3, CALL(thread_exit, 5));
    check_refused("one lives", object_wait(HANDLE_SERVER_3, SIGNAL_JOINABLE, clock_now() + 5 * MS),
                  STATUS_DEADLINE_EXCEEDED);
    check_ok("wake it", object_set_peer_user_signal(HANDLE_CALL_3, 1), 0);
    expect_end(EXIT_CODE, 7);
    check_ok("lower", object_set_peer_user_signal(HANDLE_CALL_3, 0), 0);
}

static void end_main_last(void)
{
    check_ok("start", start_worker(WORKSHOP_WORKER_1, FUNCTION_RETURN, 1), 0);
    check_ok("start", start_worker(WORKSHOP_WORKER_2, FUNCTION_SPIN, 0), 0);
    check_ok("terminate", puppet_do(&server_3, CALL(task_terminate, WORKSHOP_WORKER_2)), 0);
    puppet_begin(&server_3, CALL(thread_exit, 6));
    expect_end(EXIT_CODE, 6);
}

static void fault_in_a_worker(void)
{
    check_ok("start", start_worker(WORKSHOP_WORKER_2, FUNCTION_SPIN, 0), 0);
    puppet_begin(&server_3, START(WORKSHOP_WORKER_1, FUNCTION_FAULT, 0x10000));
    struct exit_status status = puppet_join(&server_3);
    check_u64("kind", status.kind, EXIT_EXCEPTION);
    check_u64("address", status.address, 0x10000);
    puppet_start(&server_3);
}

/* The entry of a thread is no instruction. */
static void start_nowhere(void)
{
    puppet_begin(&server_3, CALL(thread_start, WORKSHOP_WORKER_1, 0x10000, 0, 0));
    struct exit_status status = puppet_join(&server_3);
    check_u64("kind", status.kind, EXIT_EXCEPTION);
    check_u64("pc", status.pc, 0x10000);
    puppet_start(&server_3);
}

static void exit_while_another_spins(void)
{
    check_ok("start", start_worker(WORKSHOP_WORKER_1, FUNCTION_SPIN, 0), 0);
    puppet_begin(&server_3, CALL(process_exit, 9));
    expect_end(EXIT_CODE, 9);
    check_refused("worker of a former life", puppet_do(&server_3, CALL(task_terminate, WORKSHOP_WORKER_1)),
                  STATUS_FAILED_PRECONDITION);
    check_refused("its signal", puppet_do(&server_3, CALL(object_wait, WORKSHOP_WORKER_1, SIGNAL_VALID, 0)),
                  STATUS_DEADLINE_EXCEEDED);
    work();
}

/* All of them at once, by the supervisor. */
static void terminate_all(void)
{
    check_ok("start", start_worker(WORKSHOP_WORKER_1, FUNCTION_SPIN, 0), 0);
    check_ok("start", start_worker(WORKSHOP_WORKER_2, FUNCTION_WAIT, SERVER_IPC), 0);
    puppet_begin(&server_3, DO(SPIN));
    puppet_restart(&server_3);
    work();
}

void story_last_thread(void)
{
    work();
    end_main_first();
    end_main_last();
    fault_in_a_worker();
    start_nowhere();
    exit_while_another_spins();
    terminate_all();
    puppet_restart(&server_3);
}
