/* SPDX-License-Identifier: MIT
 * Counting at the end, a function for each kind of thing. Nothing is changed, and nothing is believed that can be
 * looked up: a thread must be found where its state says it is, and whoever is found in a place must have the state for
 * it. What holds between two CPUs holds only while no message is under way. */
#include "sys/census.h"

#include "ipc/endpoint.h"
#include "ipc/wait_group.h"
#include "mm/page.h"
#include "sched/sched.h"
#include "sys/event_object.h"
#include "sys/lib/log.h"
#include "sys/lib/string.h"
#include "sys/router_object.h"
#include "sys/syscall/audit.h"
#include "sys/syscall/extension.h"
#include "sys/syscall/latency.h"
#include "sys/task.h"
#include "sys/user_module.h"

static const struct process *processes; /* [I] NULL before the seal */
static uint32_t process_count;          /* [I] */
static uint32_t cpu_count;              /* [I] */
static uint64_t frames;                 /* [I] free ones at the seal */

/* What one census found. */
static struct {
    uint32_t broken;
    uint32_t threads, in_place;
    uint32_t objects, transactions, deadlines, messages;
} found;

#define broken(...) (found.broken++, log_error("census: BROKEN: " __VA_ARGS__))

void census_begin(const struct process *all, uint32_t count, uint32_t cpus)
{
    processes = all;
    process_count = count;
    cpu_count = cpus;
    frames = page_free_bytes() / PAGE_SIZE;
}

static bool is_queued(const struct runq *q, const struct thread *t)
{
    const struct thread *at = q->head[t->priority];
    while (at && at != t)
        at = at->next;
    return at;
}

static bool is_waiter(const struct object *o, const struct thread *t)
{
    const struct waiter *at = o ? o->waiters : NULL;
    while (at && at != &t->waiter)
        at = at->next;
    return at;
}

static bool is_caller(const struct object *o, const struct thread *t)
{
    return o && o->type == IMAGE_OBJECT_CHANNEL_INITIATOR && ((const struct endpoint *)o)->caller == t;
}

static bool is_in_place(const struct thread *t, uint32_t cpu)
{
    switch (t->waiter.state) {
    case THREAD_RUNNING:
        return cpu_ptr(cpu, percpu_head)->current == t;
    case THREAD_READY:
        return is_queued(cpu_ptr(cpu, runq), t);
    case THREAD_STOPPED:
        return t->process->stopped || !t->frame.rip || (t->task && t->task->state != TASK_RUNNING); /* or never began */
    case THREAD_WAIT_SIGNALS:
    case THREAD_WAIT_REQUEST:
    case THREAD_WAIT_TAKE:
    case THREAD_WAIT_BEHIND:
        return is_waiter(t->wait_object, t);
    case THREAD_WAIT_RESPONSE:
        return is_caller(t->wait_object, t);
    default:
        return false;
    }
}

static void count_thread(const struct thread *t, uint32_t cpu)
{
    found.threads++;
    if (is_in_place(t, cpu))
        found.in_place++;
    else
        broken("thread '%s' of '%s' is not where its state %u says", t->name, t->process->name, t->waiter.state);
    if (*t->deadline_ns == TIME_NEVER)
        return;
    found.deadlines++;
    if (t->waiter.state < THREAD_WAIT_SIGNALS)
        broken("'%s' has a deadline and is not blocked", t->process->name);
    if (*t->deadline_ns < cpu_ptr(cpu, timer)->armed_ns)
        broken("no timer will serve the deadline of '%s'", t->process->name);
}

static void count_queue(uint32_t cpu)
{
    const struct runq *q = cpu_ptr(cpu, runq);
    if (!runq_valid(q)) {
        broken("the run queue of CPU %u", cpu);
        return;
    }
    for (uint32_t p = 0; p < THREAD_PRIORITIES; p++)
        for (const struct thread *t = q->head[p]; t; t = t->next)
            if (t->waiter.state != THREAD_READY || t->process->cpu != cpu)
                broken("'%s' is in the run queue of CPU %u", t->process->name, cpu);
}

static void count_inbox(uint32_t cpu)
{
    const struct channel *c = &cpu_ptr(cpu, inbox)->channel;
    if (!channel_valid(c))
        broken("the inbox of CPU %u", cpu);
    found.messages += (uint32_t)channel_len(c);
}

static void count_cpu(uint32_t cpu)
{
    const struct timer *tm = cpu_ptr(cpu, timer);
    count_inbox(cpu);
    count_queue(cpu);
    for (size_t i = 0; i < tm->count; i++)
        count_thread(tm->threads[i], cpu);
}

static bool waiter_is_sound(const struct object *o, struct waiter *w)
{
    if (w->state == WAITER_MEMBER)
        return member_of_waiter(w) == o->member && o->member->group && o->member->group->members;
    const struct thread *t = thread_of_waiter(w);
    if (t->wait_object != o || !thread_state_waits(w->state))
        return false;
    return w->state != THREAD_WAIT_SIGNALS || !(o->signals & w->mask); /* what it waits for has not come */
}

static void count_waiters(const struct object *o)
{
    for (struct waiter *w = o->waiters; w; w = w->next) {
        if (waiter_is_sound(o, w))
            continue;
        broken("a waiter of an object of '%s'", o->process->name);
        return; /* `next` may lead anywhere */
    }
}

static bool has(const struct endpoint *e, uint32_t signal)
{
    return e->object.signals & signal;
}

static bool lives(const struct endpoint *e)
{
    return !e->object.process->stopped;
}

/* What an end can answer for alone. */
static bool end_is_sound(const struct endpoint *e)
{
    bool direct = !e->remote && !e->dead && e->async == ASYNC_NONE, busy = e->caller || e->async != ASYNC_NONE;
    if (e->peer->peer != e || e->local_peer != (direct ? e->peer : &endpoint_nobody))
        return false;
    if (has(e, SIGNAL_USER) != (e->user || e->notified))
        return false;
    if (!lives(e) || e->object.type != IMAGE_OBJECT_CHANNEL_INITIATOR)
        return !busy;
    return has(e, SIGNAL_WRITEABLE) == (!busy && !e->dead) && (!e->held || (e->unacknowledged && busy));
}

/* It knows whether the other lives. */
static bool end_knows_peer(const struct endpoint *e)
{
    return !lives(e) || (e->dead != lives(e->peer) && !(has(e, SIGNAL_ERROR) && lives(e->peer)));
}

/* An initiator and its handler, on one CPU or with no message between them. */
static bool ends_agree(const struct endpoint *e, const struct endpoint *h)
{
    if (!end_knows_peer(e) || !end_knows_peer(h))
        return false;
    if (!lives(e) || !lives(h))
        return true;
    bool asks = e->caller || e->async == ASYNC_PENDING;
    return has(h, SIGNAL_READABLE) == asks && (e->remote || asks || !(h->reading & READING_BEGUN));
}

static void count_end(const struct endpoint *e)
{
    const struct thread *t = e->caller;
    const char *name = e->object.process->name;
    found.transactions += t || e->async == ASYNC_PENDING;
    if (t && (t->waiter.state != THREAD_WAIT_RESPONSE || t->wait_object != &e->object))
        broken("'%s' is the caller of a channel of '%s'", t->process->name, name);
    if (!end_is_sound(e))
        broken("an end of a channel of '%s'", name);
    if (e->object.type == IMAGE_OBJECT_CHANNEL_INITIATOR && (!e->remote || !found.messages) && !ends_agree(e, e->peer))
        broken("the ends of a channel of '%s' and '%s' disagree", name, e->peer->object.process->name);
}

/* Who ended can be joined, and nobody else. */
static void count_task(const struct task *t)
{
    bool joinable = t->object.signals & SIGNAL_JOINABLE;
    if (joinable != (t->state == TASK_ENDED))
        broken("a task object of '%s'", t->object.process->name);
}

/* It hears of events while its process lives, and READABLE says whether some are kept. */
static void count_subscription(const struct event_object *o)
{
    bool readable = o->object.signals & SIGNAL_READABLE;
    if (readable != (o->count != 0) || o->count > o->depth || o->subscription.subscribed == o->object.process->stopped)
        broken("an event subscription of '%s'", o->object.process->name);
}

/* Who waits for an answer has asked. */
static void count_router(const struct router_object *o)
{
    bool writeable = o->object.signals & SIGNAL_WRITEABLE;
    if (writeable == router_object_is_busy(o) || (writeable && router_object_waits(o)))
        broken("a router of '%s'", o->object.process->name);
}

static void count_process(const struct process *p)
{
    for (uint32_t i = 0; i < p->object_count; i++) {
        const struct object *o = p->objects[i];
        found.objects++;
        count_waiters(o);
        if (o->type == IMAGE_OBJECT_CHANNEL_HANDLER || o->type == IMAGE_OBJECT_CHANNEL_INITIATOR)
            count_end((const struct endpoint *)o);
        if (o->type == IMAGE_OBJECT_CHANNEL_HANDLER && user_module_of((const struct endpoint *)o))
            count_end(((const struct endpoint *)o)->peer);
        if (o->type == IMAGE_OBJECT_PROCESS || o->type == IMAGE_OBJECT_THREAD)
            count_task((const struct task *)o);
        if (o->type == IMAGE_OBJECT_EVENT_SUBSCRIPTION)
            count_subscription((const struct event_object *)o);
        if (o->type == IMAGE_OBJECT_ROUTER)
            count_router((const struct router_object *)o);
    }
}

static uint64_t count_frames(void)
{
    uint64_t now = page_free_bytes() / PAGE_SIZE;
    if (now != frames)
        broken("%lu frames are free, %lu were at the seal", now, frames);
    return now;
}

static uint32_t count_registered(void)
{
    uint32_t n = 0;
    for (uint32_t number = SYSCALL_BUILT_IN; number < SYSCALL_MAX; number++)
        n += syscall_name(number) != NULL;
    return n;
}

static uint32_t count_hooks(void)
{
    return (hook_state(&audit_hook) != HOOK_OFF ? 1u : 0) + (hook_state(&latency_hook) != HOOK_OFF ? 1u : 0);
}

bool census_take(void)
{
    if (!processes)
        return true;
    memset(&found, 0, sizeof(found));
    uint64_t free_frames = count_frames();
    for (uint32_t cpu = 0; cpu < cpu_count; cpu++)
        count_cpu(cpu);
    for (uint32_t i = 0; i < process_count; i++)
        count_process(&processes[i]);
    log_info("census: %lu free frames, %u objects, %u transactions, %u deadlines, %u messages, %u registered calls, "
             "%u hooks, %u of %u threads accounted for",
             free_frames, found.objects, found.transactions, found.deadlines, found.messages, count_registered(),
             count_hooks(), found.in_place, found.threads);
    return !found.broken;
}
