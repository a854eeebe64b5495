/* SPDX-License-Identifier: MIT
 * Stopping processes. */
#include "sys/process.h"

#include "ipc/endpoint.h"
#include "sched/sched.h"
#include "sys/lib/log.h"
#include "sys/lib/panic.h"
#include "sys/shutdown.h"

#include <arch/atomic.h>

static uint32_t running; /* [a] processes that have not stopped, on all CPUs */

void process_set_count(uint32_t count)
{
    store_relaxed(&running, count);
}

/* Takes a thread off whatever holds it. */
static void thread_stop(struct thread *t)
{
    if (t->state == THREAD_READY)
        runq_remove(this_cpu_ptr(runq), t);
    else if (t->state == THREAD_WAIT_SIGNALS || t->state == THREAD_WAIT_REQUEST)
        object_remove_waiter(t->wait_object, t);
    timer_deadline_clear(t);
    t->state = THREAD_STOPPED;
}

void process_stop(struct process *p, int32_t exit_code)
{
    assert(p->cpu == cpu_index() && !p->stopped);
    p->stopped = true;
    p->exit_code = exit_code;
    thread_stop(p->thread);
    for (uint32_t i = 0; i < p->object_count; i++)
        if (p->objects[i]->type < IMAGE_OBJECT_HISTOGRAM)
            endpoint_stop((struct endpoint *)p->objects[i]);
    log_info("process '%s' ended: %d", p->name, p->exit_code);
    if (fetch_add_relaxed(&running, UINT32_MAX) == 1) {
        log_error("every process has ended and none called debug_shutdown");
        shutdown_machine(SHUTDOWN_FAILURE);
    }
}
