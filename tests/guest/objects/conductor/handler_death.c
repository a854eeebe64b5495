/* SPDX-License-Identifier: MIT
 * The story: a handler's process dies with its initiator blocked in a call without a deadline: by a fault, by
 * process_exit, or because its supervisor ended it; before it read the request, after, or after it answered. The
 * initiator returns at once, though nobody has joined the dead: with UNAVAILABLE, or with the answer if there was one.
 * Until the handler runs again each call is refused without a wait, and ERROR says why; afterwards all is well. */
#include "conductor.h"

enum stage { BEFORE_READ, AFTER_READ, AFTER_ANSWER };

static const struct ending {
    const char *name;
    const struct order *order; /* NULL: terminated */
    struct exit_status status;
} endings[] = {
    {"fault", DO(FAULT, FAULT_NULL_READ), {.kind = EXIT_EXCEPTION, .exception = 14}},
    {"exit", CALL(process_exit, 7), {.kind = EXIT_CODE, .code = 7}},
    {"terminate", NULL, {.kind = EXIT_TERMINATED}},
};

static uint64_t request = 5, response;

static void reach(enum stage stage)
{
    (void)puppet_do(&server_1, DO(POKE, MEMORY(0), 12));
    check_signals("request", puppet_do(&server_1, CALL(object_wait, SERVER_IPC, SIGNAL_READABLE, TIME_MAX)),
                  SIGNAL_READABLE);
    if (stage >= AFTER_READ)
        check_ok("read", puppet_do(&server_1, CALL(channel_read, SERVER_IPC, 0, MEMORY(8), 8)), 8);
    if (stage == AFTER_ANSWER)
        check_ok("answer", puppet_do(&server_1, CALL(channel_respond, SERVER_IPC, MEMORY(0), 8)), 0);
}

static void end(const struct ending *e)
{
    if (e->order)
        puppet_begin(&server_1, e->order);
    else
        check_ok("terminate", task_terminate(HANDLE_SERVER_1), 0);
}

static void check_dead(void)
{
    check_signals("ERROR", object_wait(HANDLE_CALL_1, SIGNAL_ERROR, TIME_MAX), SIGNAL_ERROR);
    for (uint64_t deadline = 0; deadline <= 1; deadline++)
        check_refused("call to the dead",
                      channel_transact(HANDLE_CALL_1, &request, 8, &response, 8, deadline ? TIME_MAX : 0),
                      STATUS_UNAVAILABLE);
    check_refused("async call to the dead", channel_async_transact(HANDLE_CALL_1, &request, 8, &response, 8),
                  STATUS_UNAVAILABLE);
}

static void die(const struct ending *e, enum stage stage)
{
    struct errand errand = {HANDLE_CALL_1, &request, 8, &response, 8, TIME_MAX, {.status = STATUS_UNKNOWN}};
    response = 3;
    errand_start(HANDLE_HELPER_1, &errand);
    reach(stage);
    end(e);
    struct result r = errand_end(HANDLE_HELPER_1, &errand);
    if (stage == AFTER_ANSWER)
        check_ok("answer of one who died", r, 8);
    else
        check_refused("handler died", r, STATUS_UNAVAILABLE);
    check_u64("response", response, stage == AFTER_ANSWER ? 12 : 3);
    check_dead();
    struct exit_status status = puppet_join(&server_1);
    check_u64(e->name, status.kind, e->status.kind);
    check_u64(e->name, (uint64_t)status.code, (uint64_t)e->status.code);
    check_u64(e->name, status.exception, e->status.exception);
    check_dead();
    puppet_start(&server_1);
    check_signals("signals of a new life", object_wait(HANDLE_CALL_1, SIGNAL_WRITEABLE, TIME_MAX), SIGNAL_WRITEABLE);
    check_server_works(&server_1, HANDLE_CALL_1);
}

void story_handler_death(void)
{
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        for (enum stage stage = BEFORE_READ; stage <= AFTER_ANSWER; stage++)
            die(&endings[i], stage);
}
