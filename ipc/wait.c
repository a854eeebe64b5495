/* SPDX-License-Identifier: MIT
 * Waiting for signals. A blocked thread is on exactly one list; whoever takes it off that list owns its wake-up, so a
 * signal and a deadline cannot both wake it. All on the object's home CPU. */
#include "ipc/endpoint.h"
#include "ipc/event_bus.h"
#include "ipc/object.h"
#include "ipc/wait_group.h"
#include "sched/sched.h"
#include "sys/lib/panic.h"

void object_add_waiter(struct object *o, struct waiter *w)
{
    struct waiter **p = &o->waiters;
    while (*p)
        p = &(*p)->next;
    *p = w;
}

void object_remove_waiter(struct object *o, struct waiter *w)
{
    for (struct waiter **p = &o->waiters; *p; p = &(*p)->next) {
        if (*p == w) {
            *p = w->next;
            w->next = NULL;
            return;
        }
    }
    panic("a waiter is not on the list it waits on");
}

struct result object_block(struct object *o, enum thread_state state, uint32_t mask, uint64_t deadline_ns,
                           struct thread *woken)
{
    struct thread *t = sched_current();
    if (!timer_deadline_set(t, deadline_ns)) {
        if (woken)
            sched_ready(woken);
        return sched_preempt(result_of(STATUS_DEADLINE_EXCEEDED));
    }
    t->waiter.mask = mask;
    t->waiter.state = (uint8_t)state;
    t->wait_object = o;
    object_add_waiter(o, &t->waiter);
    if (woken)
        sched_block_for(woken);
    sched_block();
}

struct result object_wait_general(struct object *o, uint32_t mask, uint64_t deadline_ns)
{
    if (o->type == IMAGE_OBJECT_HISTOGRAM)
        return result_of(STATUS_UNIMPLEMENTED);
    if (!mask || (mask & ~SIGNAL_VALID))
        return result_of(STATUS_INVALID_ARGUMENT);
    if (o->type == IMAGE_OBJECT_WAIT_GROUP)
        return wait_group_wait((struct wait_group *)o, mask, deadline_ns);
    if (o->signals & mask)
        return result_signals(o->signals, 0);
    return object_block(o, THREAD_WAIT_SIGNALS, mask, deadline_ns, NULL);
}

/* The request for a thread that waits for one. If another has taken it this one stays behind: when it is the only one
 * left on the list, its initiator has a transaction under way, and the direct way must not take it for free. */
static bool wake_for_request(struct endpoint *h, struct thread *t)
{
    if (!(h->object.signals & SIGNAL_READABLE) || endpoint_has_unread(h))
        return endpoint_deliver(h, t);
    t->waiter.state = THREAD_WAIT_BEHIND;
    return false;
}

/* What it finds when it runs; false if there is nothing for it after all. Who waits for signals is told of those that
 * were raised, even if somebody before it has lowered them by taking what they stood for. */
static bool wake(struct object *o, struct thread *t, uint32_t raised)
{
    switch (t->waiter.state) {
    case THREAD_WAIT_REQUEST:
    case THREAD_WAIT_BEHIND:
        if (!wake_for_request((struct endpoint *)o, t))
            return false;
        break;
    case THREAD_WAIT_TAKE:
        if (!endpoint_take_for((struct endpoint *)o, t))
            return false;
        break;
    default:
        t->result = result_signals(o->signals | raised, 0);
    }
    timer_deadline_clear(t);
    return true;
}

/* One entry that waits for what was raised: the thread that it wakes, or NULL. */
static struct thread *wake_entry(struct object *o, struct waiter *w, uint32_t raised, bool *leaves)
{
    *leaves = false;
    if (w->state == WAITER_MEMBER)
        return wait_group_signal(member_of_waiter(w));
    if (w->state == WAITER_KERNEL) {
        ((struct kernel_waiter *)w)->tell((struct kernel_waiter *)w);
        return NULL;
    }
    struct thread *t = thread_of_waiter(w);
    *leaves = wake(o, t, raised);
    return *leaves ? t : NULL;
}

struct thread *object_raise_waited(struct object *o, uint32_t signals)
{
    struct thread *first = NULL;
    o->signals |= signals;
    for (struct waiter **p = &o->waiters; *p;) {
        struct waiter *w = *p;
        bool leaves = false;
        struct thread *t = w->mask & signals ? wake_entry(o, w, signals, &leaves) : NULL;
        if (leaves) {
            *p = w->next;
            w->next = NULL;
        } else {
            p = &w->next;
        }
        if (t && first)
            sched_ready(t);
        else if (t)
            first = t;
    }
    return first;
}

void thread_expire(struct thread *t, uint64_t now_ns)
{
    event_publish(EVENT_TIMER_EXPIRED, 0, t->process->index, now_ns, 0);
    switch (t->waiter.state) {
    case THREAD_WAIT_SIGNALS:
    case THREAD_WAIT_REQUEST:
    case THREAD_WAIT_TAKE:
    case THREAD_WAIT_BEHIND:
        object_stop_waiting(t);
        t->result = result_of(STATUS_DEADLINE_EXCEEDED);
        sched_ready(t);
        break;
    case THREAD_WAIT_RESPONSE:
        endpoint_expire(t);
        break;
    default:
        panic("thread %s has a deadline and waits for nothing", t->name);
    }
}
