/* SPDX-License-Identifier: MIT
 * Stopping and starting. */
#include "sys/process.h"

#include "arch/x86_64/asm.h"
#include "ipc/endpoint.h"
#include "ipc/event_bus.h"
#include "ipc/wait_group.h"
#include "perf/hist.h"
#include "sched/sched.h"
#include "sys/event_object.h"
#include "sys/histogram_object.h"
#include "sys/hotplug.h"
#include "sys/interrupt.h"
#include "sys/lib/log.h"
#include "sys/lib/panic.h"
#include "sys/lib/string.h"
#include "sys/load.h"
#include "sys/shutdown.h"
#include "sys/task.h"
#include "sys/user_module.h"

#include <arch/atomic.h>

static uint32_t running; /* [a] processes that run or are on their way to, on all CPUs */

void process_set_count(uint32_t count)
{
    store_relaxed(&running, count);
}

void process_count_up(void)
{
    fetch_add_relaxed(&running, 1);
}

static void count_down(void)
{
    if (fetch_add_relaxed(&running, UINT32_MAX) != 1)
        return;
    log_error("every process has ended and none called debug_shutdown");
    shutdown_machine(SHUTDOWN_FAILURE);
}

/* Takes a thread off whatever holds it, but for a transaction. */
static void thread_stop(struct thread *t)
{
    switch (t->waiter.state) {
    case THREAD_READY:
        runq_remove(this_cpu_ptr(runq), t);
        break;
    case THREAD_WAIT_SIGNALS:
    case THREAD_WAIT_REQUEST:
    case THREAD_WAIT_TAKE:
    case THREAD_WAIT_BEHIND:
        object_stop_waiting(t);
        break;
    default:
        break;
    }
    timer_deadline_clear(t);
    t->waiter.state = THREAD_STOPPED;
}

void thread_end(struct thread *t, const struct exit_status *end)
{
    bool calling = t->waiter.state == THREAD_WAIT_RESPONSE;
    thread_stop(t);
    if (calling)
        endpoint_abandon((struct endpoint *)t->wait_object);
    if (t->task)
        task_ended(t->task, end);
    if (--t->process->living == 0)
        process_stop(t->process, end);
}

static bool is_channel(const struct object *o)
{
    return o->type == IMAGE_OBJECT_CHANNEL_HANDLER || o->type == IMAGE_OBJECT_CHANNEL_INITIATOR;
}

static struct user_module *module_of(const struct object *o)
{
    return o->type == IMAGE_OBJECT_CHANNEL_HANDLER ? user_module_of((const struct endpoint *)o) : NULL;
}

static void object_stop(struct object *o)
{
    struct user_module *module = module_of(o);
    wait_group_forget(o);
    if (module)
        user_module_stop(module);
    if (is_channel(o))
        endpoint_stop((struct endpoint *)o);
    else if (o->type == IMAGE_OBJECT_INTERRUPT)
        interrupt_stop((struct interrupt_object *)o);
    else if (o->type == IMAGE_OBJECT_EVENT_SUBSCRIPTION)
        event_object_stop((struct event_object *)o);
}

static void object_start(struct object *o)
{
    struct user_module *module = module_of(o);
    if (is_channel(o))
        endpoint_start((struct endpoint *)o);
    else if (o->type == IMAGE_OBJECT_INTERRUPT)
        interrupt_start((struct interrupt_object *)o);
    else if (o->type == IMAGE_OBJECT_EVENT_SUBSCRIPTION)
        event_object_start((struct event_object *)o);
    else if (o->type == IMAGE_OBJECT_THREAD)
        task_reset((struct task *)o);
    else if (o->type == IMAGE_OBJECT_HISTOGRAM)
        hist_init_zeroed(((struct histogram_object *)o)->histogram);
    if (module)
        user_module_start(module);
}

static void log_end(const struct process *p)
{
    static const char *const how[] = {"?", "code", "exception", "terminated", "bad origin", "?"};
    log_info("process '%s' ended: %s %d", p->name, how[p->end.kind],
             p->end.kind == EXIT_EXCEPTION ? (int)p->end.exception : p->end.code);
}

void process_stop(struct process *p, const struct exit_status *end)
{
    assert(p->cpu == cpu_index() && !p->stopped);
    p->stopped = true;
    p->end = *end;
    for (uint32_t i = 0; i < p->thread_count; i++)
        thread_stop(&p->threads[i]);
    for (uint32_t i = 0; i < p->object_count; i++)
        object_stop(p->objects[i]);
    log_end(p);
    event_publish(EVENT_PROCESS_EXITED, p->end.kind, p->index,
                  p->end.kind == EXIT_EXCEPTION ? p->end.exception : (uint64_t)p->end.code, p->end.pc);
    count_down();
    if (!p->unseen)
        process_quiet(p);
}

void process_quiet(struct process *p)
{
    task_tell_supervisor(p);
}

void process_terminate(struct process *p)
{
    struct exit_status end = {.kind = EXIT_TERMINATED};
    if (p->loading)
        p->doomed = true;
    else if (!p->stopped)
        process_stop(p, &end);
}

void process_start(struct process *p)
{
    assert(p->stopped && !p->unseen && !p->loading);
    p->loading = true;
    hotplug_process_starts();
    load_again(p);
}

void process_publish_created(const struct process *p)
{
    const struct task *by = p->supervisor;
    event_publish(EVENT_PROCESS_CREATED, 0, p->index, by ? by->object.process->index : EVENT_NOBODY, 0);
}

static bool is_prepared(const struct process *p)
{
    bool is_ready = true;
    for (uint32_t i = 0; i < p->object_count; i++)
        if (p->objects[i]->type == IMAGE_OBJECT_INTERRUPT)
            is_ready &= interrupt_prepare((struct interrupt_object *)p->objects[i]);
    return is_ready;
}

bool process_loaded(struct process *p)
{
    bool doomed = p->doomed;
    if (!doomed && !is_prepared(p))
        return false;
    p->loading = p->doomed = false;
    if (doomed) {
        p->end = (struct exit_status){.kind = EXIT_TERMINATED};
        count_down();
        process_quiet(p);
        return true;
    }
    p->stopped = false;
    p->living = 0;
    for (uint32_t i = 0; i < p->object_count; i++)
        object_start(p->objects[i]);
    thread_begin(p->threads, p->entry, 0, 0);
    process_publish_created(p);
    log_info("process '%s' starts again", p->name);
    return true;
}

void thread_prepare(struct thread *t, uint64_t entry, uint64_t a0, uint64_t a1)
{
    t->frame = (struct frame){.rip = entry,
                              .rsp = t->stack_top,
                              .rdi = a0,
                              .rsi = a1,
                              .cs = SEL_USER_CODE,
                              .ss = SEL_USER_DATA,
                              .rflags = RFLAGS_FIXED | RFLAGS_IF};
    t->resume = THREAD_INTERRUPTED;
    t->served = NULL;
    t->call.hooks = 0;
    t->process->living++;
}

void thread_begin(struct thread *t, uint64_t entry, uint64_t a0, uint64_t a1)
{
    thread_prepare(t, entry, a0, a1);
    sched_ready(t);
}
