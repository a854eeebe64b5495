/* SPDX-License-Identifier: MIT
 * States of process and thread objects, and the messages between an object and a process elsewhere: START and TERMINATE
 * to it, ENDED back. At most one of each is under way, since the state allows no second before the answer. */
#include "sys/task.h"

#include "sched/inbox.h"
#include "sched/sched.h"
#include "sys/abi/layout.h"
#include "sys/lib/string.h"
#include "sys/process.h"

static void run_start(const struct inbox_message *m)
{
    process_start((struct process *)m->word[0]);
}

static void run_terminate(const struct inbox_message *m)
{
    process_terminate((struct process *)m->word[0]);
}

static void ask(const struct task *t, void (*run)(const struct inbox_message *))
{
    struct inbox_message m = {run, {(uint64_t)t->process}};
    inbox_send(t->process->cpu, &m, THREAD_PRIORITIES - 1);
}

static enum status may_start(const struct task *t)
{
    static const enum status refusal[] = {
        [TASK_READY] = STATUS_OK, [TASK_RUNNING] = STATUS_ALREADY_EXISTS, [TASK_ENDED] = STATUS_FAILED_PRECONDITION};
    return refusal[t->state];
}

enum status task_start_process(struct task *t)
{
    enum status s = may_start(t);
    if (s != STATUS_OK)
        return s;
    if (sched_is_parked(t->process->cpu)) /* off line (sys/hotplug.h) */
        return STATUS_UNAVAILABLE;
    t->state = TASK_RUNNING;
    process_count_up();
    if (t->process->cpu == t->object.cpu)
        process_start(t->process); /* not by a message: a task_terminate that follows must find it on its way */
    else
        ask(t, run_start);
    return STATUS_OK;
}

enum status task_start_thread(struct task *t, uint64_t entry, uint64_t a0, uint64_t a1)
{
    enum status s = may_start(t);
    if (s != STATUS_OK)
        return s;
    if (entry >= USER_END) /* IRET to an address that is not canonical would be a fault of the kernel */
        return STATUS_INVALID_ARGUMENT;
    t->state = TASK_RUNNING;
    thread_begin(t->thread, entry, a0, a1);
    return STATUS_OK;
}

enum status task_terminate(struct task *t)
{
    if (t->state != TASK_RUNNING)
        return STATUS_FAILED_PRECONDITION;
    struct exit_status end = {.kind = EXIT_TERMINATED};
    if (t->thread)
        thread_end(t->thread, &end);
    else if (t->process->cpu == t->object.cpu)
        process_terminate(t->process);
    else if (!t->terminating)
        ask(t, run_terminate);
    t->terminating = true;
    return STATUS_OK;
}

enum status task_join(struct task *t, struct exit_status *status)
{
    if (t->state != TASK_ENDED)
        return t->state == TASK_RUNNING ? STATUS_UNAVAILABLE : STATUS_FAILED_PRECONDITION;
    *status = t->status;
    t->state = TASK_READY;
    object_lower(&t->object, SIGNAL_JOINABLE);
    return STATUS_OK;
}

void task_ended(struct task *t, const struct exit_status *status)
{
    t->status = *status;
    t->state = TASK_ENDED;
    t->terminating = false;
    object_raise_ready(&t->object, SIGNAL_JOINABLE);
}

static void run_ended(const struct inbox_message *m)
{
    struct exit_status status;
    memcpy(&status, &m->word[1], sizeof(status));
    task_ended((struct task *)m->word[0], &status);
}

_Static_assert(sizeof(struct exit_status) <= 5 * sizeof(uint64_t), "fits beside the object in a message");

void task_tell_supervisor(const struct process *p)
{
    if (!p->supervisor)
        return;
    struct inbox_message m = {run_ended, {(uint64_t)p->supervisor}};
    memcpy(&m.word[1], &p->end, sizeof(p->end));
    inbox_send(p->supervisor->object.cpu, &m, THREAD_PRIORITIES - 1);
}

void task_reset(struct task *t)
{
    if (!t->thread)
        return;
    t->object.signals = 0;
    t->state = t->thread == t->thread->process->threads ? TASK_RUNNING : TASK_READY;
}
