/* SPDX-License-Identifier: MIT
 * The story: one pulse of USER, up and down at once, wakes who waits, also if both arrive together. Told only where the
 * clock counts instructions: elsewhere nobody knows when the other process has begun to wait. */
#include "conductor.h"

void story_one_pulse(void)
{
    for (int i = 0; i < 20; i++) {
        puppet_begin(&caller, CALL(object_wait, CALLER_IPC, SIGNAL_USER, TIME_MAX));
        tern_sleep_until(clock_now() + 1 * MS);
        check_ok("up", object_set_peer_user_signal(HANDLE_IPC, 1), 0);
        check_ok("down", object_set_peer_user_signal(HANDLE_IPC, 0), 0);
        check_signals("pulse", object_wait(HANDLE_CALLER_CONTROL, SIGNAL_READABLE, clock_now() + 10 * MS),
                      SIGNAL_READABLE);
        struct result r = puppet_end(&caller);
        check_status("pulse", r.status, STATUS_OK);
        check_u64("signals of a pulse", r.signals & SIGNAL_USER, SIGNAL_USER);
        check_refused("after the pulse", puppet_do(&caller, CALL(object_wait, CALLER_IPC, SIGNAL_USER, 0)),
                      STATUS_DEADLINE_EXCEEDED);
    }
}
