/* SPDX-License-Identifier: MIT
 * Requests by the router to a module that a process serves, on one CPU and, as modules_cross, from another. Texts and
 * outcomes arrive as they were given, whatever bytes they are; what the module cannot say is INTERNAL. Answers fill no
 * more than the buffer, and errors nothing. While one request is held by the module another one, past its deadline,
 * leaves its router busy until its turn has come; so does one whose thread or process has ended, and an answer that
 * nobody waits for is written nowhere. A module that dies answers UNAVAILABLE, is not found then, and is there again
 * when its process is. The module waits alone or in a group.
 *
 * The client asks for something held at once; the worker when it is started. The server says on RELEASE that it holds
 * a request: no step depends on time. */
#include "handles.h"
#include "tests/guest/check.h"
#include "user/rt/module.h"

#define REQUEST_BYTES 512

static char answer[TERN_MODULE_ANSWER_BYTES + 1];

static struct result ask_on(uint64_t router, const char *request, size_t m)
{
    return router_request(router, request, strlen(request), answer, m, TIME_MAX);
}

/* OK, and this text. */
static void check_answer(const char *request, const char *expected)
{
    struct result r = ask_on(HANDLE_ASK, request, sizeof answer);
    check_ok(request, r, strlen(expected));
    check_u64(request, (uint64_t)memcmp(answer, expected, strlen(expected)), 0);
}

static void check_error(const char *request, enum status expected)
{
    memset(answer, '?', sizeof answer);
    check_refused(request, ask_on(HANDLE_ASK, request, sizeof answer), expected);
    for (size_t i = 0; i < sizeof answer; i++)
        check_u64("an error leaves the buffer", (uint64_t)answer[i], '?');
    check_signals("free again", object_wait(HANDLE_ASK, SIGNAL_WRITEABLE, 0), SIGNAL_WRITEABLE);
}

static void texts(void)
{
    static const char odd[] = "SERVER whole \0\xff x\n";
    char longest[REQUEST_BYTES + 1];
    check_answer("SERVER echo hello", "hello");
    check_answer("SERVER echo two words", "two words");
    check_answer("  SERVER   whole   padded ", "whole   padded ");
    check_answer("SERVER whole", "whole");
    check_answer("SERVER echo", "");
    check_answer("SERVER echo ", "");
    check_ok("odd bytes", router_request(HANDLE_ASK, odd, sizeof odd, answer, sizeof answer, TIME_MAX), sizeof odd - 7);
    check_u64("odd bytes", (uint64_t)memcmp(answer, odd + 7, sizeof odd - 7), 0);
    memset(longest, 'l', sizeof longest);
    memcpy(longest, "SERVER echo ", 12);
    check_ok("the longest", router_request(HANDLE_ASK, longest, REQUEST_BYTES, answer, sizeof answer, TIME_MAX),
             REQUEST_BYTES - 12);
    check_refused("too long", router_request(HANDLE_ASK, longest, sizeof longest, answer, sizeof answer, TIME_MAX),
                  STATUS_OUT_OF_RANGE);
}

static void errors(void)
{
    check_error("", STATUS_INVALID_ARGUMENT);
    check_error(" ", STATUS_INVALID_ARGUMENT);
    check_error("SERVER", STATUS_INVALID_ARGUMENT);
    check_error("SERVER  ", STATUS_INVALID_ARGUMENT);
    check_error("SERVER a-type-of-thirty-two-bytes-is-long", STATUS_INVALID_ARGUMENT);
    check_error("SERVER a-type-of-thirty-one-bytes-fits", STATUS_UNIMPLEMENTED);
    check_error("server echo", STATUS_NOT_FOUND);
    check_error("SERVE echo", STATUS_NOT_FOUND);
    check_error("SERVER fail", STATUS_DATA_LOSS);
    check_error("SERVER short", STATUS_INTERNAL);
    check_error("SERVER nonsense", STATUS_INTERNAL);
    struct result r = router_request(HANDLE_ASK, "SERVER echo x", 13, answer, 1, 0);
    check_refused("past", r, STATUS_DEADLINE_EXCEEDED);
    check_signals("never began", object_wait(HANDLE_ASK, SIGNAL_WRITEABLE, 0), SIGNAL_WRITEABLE);
    check_refused("another type", router_request(HANDLE_BIRTHS, "a b", 3, answer, 1, 0), STATUS_UNIMPLEMENTED);
    check_refused("null", router_request(HANDLE_ASK, NULL, 3, answer, 1, TIME_MAX), STATUS_INVALID_ARGUMENT);
    check_refused("null", router_request(HANDLE_ASK, "a b", 3, NULL, 1, TIME_MAX), STATUS_INVALID_ARGUMENT);
}

static void buffers(void)
{
    check_ok("big", ask_on(HANDLE_ASK, "SERVER big", sizeof answer), TERN_MODULE_ANSWER_BYTES);
    for (size_t i = 0; i < TERN_MODULE_ANSWER_BYTES; i++)
        check_u64("all of it", (uint64_t)answer[i], 'b');
    memset(answer, '?', sizeof answer);
    check_ok("more than fits", ask_on(HANDLE_ASK, "SERVER echo 12345", 3), 5);
    check_u64("what fits", (uint64_t)memcmp(answer, "123??", 5), 0);
    check_ok("nothing fits", ask_on(HANDLE_ASK, "SERVER echo 12345", 0), 5);
    check_u64("unchanged", (uint64_t)memcmp(answer, "123??", 5), 0);
}

static int worker(uint64_t unused)
{
    static char room[16];
    (void)unused;
    struct result r = router_request(HANDLE_ASK, "SERVER hold", 11, room, sizeof room, TIME_MAX);
    if (r.status == STATUS_OK)
        check_u64("its answer", r.value, 8);
    return (int)r.status;
}

static void wait_held(void)
{
    check_ok("held", object_take(HANDLE_RELEASE, TIME_MAX), 1);
}

static void release(void)
{
    check_ok("release", channel_transact(HANDLE_RELEASE, NULL, 0, NULL, 0, TIME_MAX), 0);
}

static void check_end(const char *what, uint64_t handle, enum exit_kind kind, int code)
{
    struct exit_status end;
    check_signals(what, object_wait(handle, SIGNAL_JOINABLE, TIME_MAX), SIGNAL_JOINABLE);
    check_ok(what, task_join(handle, &end, sizeof end), sizeof end);
    check_u64(what, end.kind, kind);
    check_u64(what, (uint64_t)end.code, (uint64_t)code);
}

static void start_worker(void)
{
    check_ok("worker", tern_thread_start(HANDLE_WORKER, worker, 0), 0);
    wait_held();
}

static void is_busy(uint64_t router)
{
    check_refused("busy", object_wait(router, SIGNAL_WRITEABLE, 0), STATUS_DEADLINE_EXCEEDED);
    check_refused("busy", ask_on(router, "SERVER echo x", 1), STATUS_FAILED_PRECONDITION);
}

static void becomes_free(uint64_t router)
{
    check_signals("free", object_wait(router, SIGNAL_WRITEABLE, TIME_MAX), SIGNAL_WRITEABLE);
    check_ok("free", ask_on(router, "SERVER echo free", sizeof answer), 4);
}

/* The worker's request waits for another one's end, and is not touched by one that is refused. */
static void waits_unchanged(void)
{
    check_ok("worker", tern_thread_start(HANDLE_WORKER, worker, 0), 0);
    while (object_wait(HANDLE_ASK, SIGNAL_WRITEABLE, 0).status == STATUS_OK)
        thread_yield();
    is_busy(HANDLE_ASK);
}

/* The client's request is held since the boot. It dies, and the next client waits for the same router. */
static void client_dies(void)
{
    wait_held();
    check_ok("terminate", task_terminate(HANDLE_CLIENT), 0);
    check_end("terminated", HANDLE_CLIENT, EXIT_TERMINATED, 0);
    check_ok("start", process_start(HANDLE_CLIENT), 0);
    release();
    wait_held();
    waits_unchanged();
    release();
    check_end("its second life", HANDLE_CLIENT, EXIT_CODE, STATUS_OK);
    wait_held();
    release();
    check_end("what waited", HANDLE_WORKER, EXIT_CODE, STATUS_OK);
}

/* A request behind the one that is held begins before its deadline, which on a slow host takes more than one try. */
static void expire_behind(void)
{
    uint64_t ns = MS;
    do {
        ns *= 2;
        struct result r = router_request(HANDLE_ASK_2, "SERVER echo x", 13, answer, sizeof answer, clock_now() + ns);
        check_refused("behind", r, STATUS_DEADLINE_EXCEEDED);
    } while (object_wait(HANDLE_ASK_2, SIGNAL_WRITEABLE, 0).status == STATUS_OK);
}

static void late_answers(void)
{
    start_worker();
    is_busy(HANDLE_ASK);
    expire_behind();
    is_busy(HANDLE_ASK_2);
    release();
    check_end("answered", HANDLE_WORKER, EXIT_CODE, STATUS_OK);
    becomes_free(HANDLE_ASK);
    becomes_free(HANDLE_ASK_2);

    start_worker();
    check_ok("terminate", task_terminate(HANDLE_WORKER), 0);
    check_end("terminated", HANDLE_WORKER, EXIT_TERMINATED, 0);
    is_busy(HANDLE_ASK);
    release();
    becomes_free(HANDLE_ASK);
}

static void next_server(void)
{
    struct event e;
    check_ok("start", process_start(HANDLE_SERVER), 0);
    check_signals("a birth", object_wait(HANDLE_BIRTHS, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
    check_ok("a birth", event_read(HANDLE_BIRTHS, &e, sizeof e), 1);
    check_answer("SERVER echo again", "again");
}

static void server_dies(void)
{
    struct event births[8];
    struct result r = event_read(HANDLE_BIRTHS, births, sizeof births);
    check_u64("births before", result_events(r), 4);
    check_error("SERVER die", STATUS_UNAVAILABLE);
    check_end("it died", HANDLE_SERVER, EXIT_CODE, 5);
    check_error("SERVER echo", STATUS_NOT_FOUND);
    next_server();
    start_worker();
    check_ok("terminate", task_terminate(HANDLE_SERVER), 0);
    check_end("told the worker", HANDLE_WORKER, EXIT_CODE, STATUS_UNAVAILABLE);
    check_end("it was killed", HANDLE_SERVER, EXIT_TERMINATED, 0);
    check_error("SERVER echo", STATUS_NOT_FOUND);
    next_server();
}

static void round(void)
{
    texts();
    errors();
    buffers();
    late_answers();
}

int main(void)
{
    client_dies();
    round();
    check_answer("SERVER mode", "group");
    round();
    check_answer("SERVER mode", "alone");
    server_dies();
    round();
    tern_success();
}
