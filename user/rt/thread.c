/* SPDX-License-Identifier: MIT
 * Threads and sleep. */
#include "user/rt/tern.h"

void tern_thread_entry(void); /* crt0.S */

struct result tern_thread_start(uint64_t handle, int (*entry)(uint64_t argument), uint64_t argument)
{
    return thread_start(handle, (uint64_t)(uintptr_t)tern_thread_entry, (uint64_t)(uintptr_t)entry, argument);
}

/* Nothing ever raises a signal of the process's own object. */
void tern_sleep_on(uint64_t own_process, uint64_t deadline_ns)
{
    struct result r = object_wait(own_process, SIGNAL_JOINABLE, deadline_ns);
    if (r.status != STATUS_DEADLINE_EXCEEDED)
        tern_panic("sleep: %s; is %lu HANDLE_PROCESS?", tern_status_name(r.status), own_process);
}
