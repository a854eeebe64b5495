/* SPDX-License-Identifier: MIT
 * The story: USER is a level that the sender raises and lowers; transactions beside it neither see nor change it. A
 * pulse, up and down at once, wakes who waits already and leaves nothing. Notification bits add up until the other end
 * takes them all; USER is on while some are there. Both ends can, on both channels; the dead cannot be reached. */
#include "conductor.h"

static struct result remote_wait(uint32_t mask, uint64_t deadline_ns)
{
    return puppet_do(&caller, CALL(object_wait, CALLER_IPC, mask, deadline_ns));
}

/* What was sent to the caller's end has arrived when the answer to a later order comes back. */
static void level(void)
{
    check_ok("raise", object_set_peer_user_signal(HANDLE_IPC, 1), 0);
    check_ok("raise again", object_set_peer_user_signal(HANDLE_IPC, 1), 0);
    for (int i = 0; i < 2; i++) {
        check_signals("raised", remote_wait(SIGNAL_USER, 0), SIGNAL_USER | SIGNAL_WRITEABLE);
        check_caller_works(HANDLE_IPC, CALLER_IPC);
    }
    check_quiet("own end", HANDLE_IPC, SIGNAL_USER);
    check_ok("lower", object_set_peer_user_signal(HANDLE_IPC, 0), 0);
    check_refused("lowered", remote_wait(SIGNAL_USER, 0), STATUS_DEADLINE_EXCEEDED);
}

static void level_of_the_caller(void)
{
    check_ok("raise", puppet_do(&caller, CALL(object_set_peer_user_signal, CALLER_IPC, 1)), 0);
    check_signals("raised", object_wait(HANDLE_IPC, SIGNAL_USER, TIME_MAX), SIGNAL_USER);
    check_quiet("no request", HANDLE_IPC, SIGNAL_READABLE);
    check_quiet("other channel", HANDLE_IPC_2, SIGNAL_USER);
    check_caller_works(HANDLE_IPC, CALLER_IPC);
    check_signals("still raised", object_wait(HANDLE_IPC, SIGNAL_USER, 0), SIGNAL_USER);
    check_ok("lower", puppet_do(&caller, CALL(object_set_peer_user_signal, CALLER_IPC, 0)), 0);
    check_quiet("lowered", HANDLE_IPC, SIGNAL_USER);
}

/* The caller may not wait yet when a pulse comes: that one is lost, and the next may not be. Pulses without a pause
 * would interrupt it again and again before it gets there. */
static void pulse(void)
{
    puppet_begin(&caller, CALL(object_wait, CALLER_IPC, SIGNAL_USER, TIME_MAX));
    while (object_wait(HANDLE_CALLER_CONTROL, SIGNAL_READABLE, clock_now() + 50 * US).status != STATUS_OK) {
        check_ok("up", object_set_peer_user_signal(HANDLE_IPC, 1), 0);
        check_ok("down", object_set_peer_user_signal(HANDLE_IPC, 0), 0);
    }
    struct result r = puppet_end(&caller);
    check_status("pulse", r.status, STATUS_OK);
    check_u64("signals of a pulse", r.signals & SIGNAL_USER, SIGNAL_USER);
    check_refused("after the pulse", remote_wait(SIGNAL_USER, 0), STATUS_DEADLINE_EXCEEDED);
}

static void bits(void)
{
    check_ok("no bits", object_notify(HANDLE_IPC, 0), 0);
    check_refused("no bits", remote_wait(SIGNAL_USER, 0), STATUS_DEADLINE_EXCEEDED);
    check_ok("notify", object_notify(HANDLE_IPC, 5), 0);
    check_ok("notify", object_notify(HANDLE_IPC, 8), 0);
    check_ok("notify", object_notify(HANDLE_IPC, 1), 0);
    check_signals("bits", remote_wait(SIGNAL_USER, 0), SIGNAL_USER | SIGNAL_WRITEABLE);
    check_caller_works(HANDLE_IPC, CALLER_IPC);
    check_ok("take", puppet_do(&caller, CALL(object_take, CALLER_IPC, TIME_MAX)), 13);
    check_refused("nothing left", remote_wait(SIGNAL_USER, 0), STATUS_DEADLINE_EXCEEDED);
    check_refused("nothing left", puppet_do(&caller, CALL(object_take, CALLER_IPC, 0)), STATUS_DEADLINE_EXCEEDED);
    puppet_begin(&caller, CALL(object_take, CALLER_IPC, TIME_MAX));
    helper_let_block();
    check_ok("notify who waits", object_notify(HANDLE_IPC, UINT32_MAX), 0);
    check_ok("all bits", puppet_end(&caller), UINT32_MAX);
}

static void bits_and_level(void)
{
    check_ok("bits", puppet_do(&caller, CALL(object_notify, CALLER_IPC, 2)), 0);
    check_ok("level", puppet_do(&caller, CALL(object_set_peer_user_signal, CALLER_IPC, 1)), 0);
    check_ok("take", object_take(HANDLE_IPC, TIME_MAX), 2);
    check_refused("take again", object_take(HANDLE_IPC, clock_now() + 1 * MS), STATUS_DEADLINE_EXCEEDED);
    check_signals("level stays", object_wait(HANDLE_IPC, SIGNAL_USER, 0), SIGNAL_USER);
    check_ok("bits", puppet_do(&caller, CALL(object_notify, CALLER_IPC, 4)), 0);
    check_ok("lower", puppet_do(&caller, CALL(object_set_peer_user_signal, CALLER_IPC, 0)), 0);
    check_signals("bits stay", object_wait(HANDLE_IPC, SIGNAL_USER, 0), SIGNAL_USER);
    check_ok("take", object_take(HANDLE_IPC, 0), 4);
    check_quiet("nothing left", HANDLE_IPC, SIGNAL_USER);
}

static int take_in_vain(uint64_t unused)
{
    (void)unused;
    check_refused("take from the dead", object_take(HANDLE_IPC_2, TIME_MAX), STATUS_UNAVAILABLE);
    return 1;
}

static void dead(void)
{
    helper_start(HANDLE_HELPER_1, take_in_vain, 0);
    helper_let_block();
    puppet_terminate(&caller);
    check_u64("taker", (uint64_t)helper_join(HANDLE_HELPER_1), 1);
    check_refused("raise for the dead", object_set_peer_user_signal(HANDLE_IPC, 1), STATUS_UNAVAILABLE);
    check_refused("notify the dead", object_notify(HANDLE_IPC, 1), STATUS_UNAVAILABLE);
    check_refused("take from the dead", object_take(HANDLE_IPC, TIME_MAX), STATUS_UNAVAILABLE);
    puppet_start(&caller);
    check_refused("new life", remote_wait(SIGNAL_USER, 0), STATUS_DEADLINE_EXCEEDED);
}

static void wrong(void)
{
    check_refused("level 2", object_set_peer_user_signal(HANDLE_IPC, 2), STATUS_OUT_OF_RANGE);
    check_refused("level of a group", object_set_peer_user_signal(HANDLE_GROUP, 1), STATUS_UNIMPLEMENTED);
    check_refused("notify a process", object_notify(HANDLE_PROCESS, 1), STATUS_UNIMPLEMENTED);
    check_refused("take from a histogram", object_take(HANDLE_TIMES, 0), STATUS_UNIMPLEMENTED);
    check_refused("no such handle", object_notify(HANDLE_PROCESS + 1, 1), STATUS_OUT_OF_RANGE);
    check_refused("no such handle", object_take(UINT32_MAX, 0), STATUS_OUT_OF_RANGE);
}

void story_user_signal(void)
{
    level();
    level_of_the_caller();
    pulse();
    bits();
    bits_and_level();
    dead();
    wrong();
}
