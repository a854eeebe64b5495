/* SPDX-License-Identifier: MIT
 * The story: an initiator dies with its request pending, read or not, blocked in the call or with the call on its way
 * without it. The handler's READABLE falls and ERROR rises; read and respond are refused; a loop of
 * channel_respond_and_wait hears it once and then waits again instead of spinning, on the channel or on a group.
 * Nothing is written to the dead one's memory. Its next life begins with a clean channel. */
#include "conductor.h"

static uint64_t word;

static void refuse_both(void)
{
    check_refused("read from the dead", channel_read(HANDLE_IPC, 0, &word, 8), STATUS_UNAVAILABLE);
    check_refused("answer to the dead", channel_respond(HANDLE_IPC, &word, 8), STATUS_UNAVAILABLE);
}

static void hear_by_channel(void)
{
    refuse_both();
    check_refused("wait for the dead", channel_respond_and_wait(HANDLE_IPC, NULL, 0, &word, 8, TIME_MAX),
                  STATUS_UNAVAILABLE);
    check_refused("second wait", channel_respond_and_wait(HANDLE_IPC, NULL, 0, &word, 8, clock_now() + 1 * MS),
                  STATUS_DEADLINE_EXCEEDED);
}

static void hear_by_group(void)
{
    check_ok("add", wait_group_add(HANDLE_GROUP, HANDLE_IPC, SIGNAL_READABLE | SIGNAL_ERROR, 33), 0);
    struct result r = channel_respond_and_wait(HANDLE_GROUP, NULL, 0, &word, 8, TIME_MAX);
    check_ok("ERROR of a member", r, 33);
    check_u64("no request", r.signals, SIGNAL_ERROR);
    refuse_both();
    check_refused("second wait", channel_respond_and_wait(HANDLE_GROUP, NULL, 0, &word, 8, clock_now() + 1 * MS),
                  STATUS_DEADLINE_EXCEEDED);
    check_ok("remove", wait_group_remove(HANDLE_GROUP, HANDLE_IPC), 0);
}

/* The request is pending, or taken; how the caller made it. */
static void ask(bool blocked, bool read)
{
    const uint64_t receive = MEMORY(4096);
    if (blocked)
        puppet_begin(&caller, CALL(channel_transact, CALLER_IPC, MEMORY(0), 8, receive, 64, TIME_MAX));
    else
        check_ok("start", puppet_do(&caller, CALL(channel_async_transact, CALLER_IPC, MEMORY(0), 8, receive, 64)), 0);
    check_signals("request", object_wait(HANDLE_IPC, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
    if (read)
        check_ok("read", channel_read(HANDLE_IPC, 0, &word, 8), 8);
}

static void die(bool blocked, bool read, bool by_group)
{
    ask(blocked, read);
    if (blocked)
        check_ok("terminate", task_terminate(HANDLE_CALLER), 0);
    else
        puppet_begin(&caller, DO(FAULT, FAULT_DIVIDE_ERROR));
    check_signals("ERROR", object_wait(HANDLE_IPC, SIGNAL_ERROR, TIME_MAX), SIGNAL_ERROR);
    if (by_group)
        hear_by_group();
    else
        hear_by_channel();
    struct exit_status status = puppet_join(&caller);
    check_u64("how it ended", status.kind, blocked ? EXIT_TERMINATED : EXIT_EXCEPTION);
    check_quiet("told already", HANDLE_IPC, SIGNAL_ERROR | SIGNAL_READABLE);
    puppet_start(&caller);
    check_quiet("new life", HANDLE_IPC, SIGNAL_VALID);
    refuse_both();
    check_ok("its memory", puppet_do(&caller, DO(PEEK, MEMORY(4096))), 0);
    check_signals("its end", puppet_do(&caller, CALL(object_wait, CALLER_IPC, SIGNAL_VALID, 0)), SIGNAL_WRITEABLE);
    check_refused("its call", puppet_do(&caller, CALL(channel_async_complete, CALLER_IPC)), STATUS_UNAVAILABLE);
    check_caller_works(HANDLE_IPC, CALLER_IPC);
}

/* Without a request under way the handler hears of it as well; ERROR that was not told yet falls with the new life. */
static void die_idle(void)
{
    check_ok("terminate", task_terminate(HANDLE_CALLER), 0);
    check_signals("ERROR", object_wait(HANDLE_IPC_2, SIGNAL_ERROR, TIME_MAX), SIGNAL_ERROR);
    check_refused("notify the dead", object_notify(HANDLE_IPC_2, 1), STATUS_UNAVAILABLE);
    (void)puppet_join(&caller);
    puppet_start(&caller);
    check_quiet("new life", HANDLE_IPC_2, SIGNAL_VALID);
    check_caller_works(HANDLE_IPC_2, CALLER_IPC_2);
}

void story_initiator_death(void)
{
    for (unsigned i = 0; i < 8; i++)
        die(i & 1, i & 2, i & 4);
    die_idle();
}
