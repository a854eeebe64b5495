/* SPDX-License-Identifier: MIT
 * Waiting for signals. A blocked thread is on exactly one list; whoever takes it off that list owns its wake-up, so a
 * signal and a deadline cannot both wake it. All on the object's home CPU. */
#include "ipc/endpoint.h"
#include "ipc/object.h"
#include "sched/sched.h"
#include "sys/lib/panic.h"

void object_add_waiter(struct object *o, struct thread *t)
{
    struct thread **p = &o->waiters;
    while (*p)
        p = &(*p)->wait_next;
    t->wait_object = o;
    *p = t;
}

void object_remove_waiter(struct object *o, struct thread *t)
{
    for (struct thread **p = &o->waiters; *p; p = &(*p)->wait_next) {
        if (*p == t) {
            *p = t->wait_next;
            t->wait_next = NULL;
            return;
        }
    }
    panic("thread %s is not on the list it waits on", t->name);
}

struct result object_wait_general(struct object *o, uint32_t mask, uint64_t deadline_ns)
{
    if (o->type == IMAGE_OBJECT_HISTOGRAM)
        return result_of(STATUS_UNIMPLEMENTED);
    if (!mask || (mask & ~SIGNAL_VALID))
        return result_of(STATUS_INVALID_ARGUMENT);
    if (o->signals & mask)
        return result_ok(o->signals);
    struct thread *t = sched_current();
    if (!timer_deadline_set(t, deadline_ns))
        return result_of(STATUS_DEADLINE_EXCEEDED);
    t->mask = mask;
    t->state = THREAD_WAIT_SIGNALS;
    object_add_waiter(o, t);
    sched_block();
}

/* What it finds when it runs; false if there is nothing for it after all. */
static bool wake(struct object *o, struct thread *t)
{
    if (t->state == THREAD_WAIT_REQUEST && !endpoint_deliver((struct endpoint *)o, t))
        return false;
    if (t->state == THREAD_WAIT_SIGNALS)
        t->result = result_ok(o->signals);
    timer_deadline_clear(t);
    return true;
}

struct thread *object_raise_waited(struct object *o, uint32_t signals)
{
    struct thread *first = NULL;
    o->signals |= signals;
    for (struct thread **p = &o->waiters; *p;) {
        struct thread *t = *p;
        if (!(t->mask & signals) || !wake(o, t)) {
            p = &t->wait_next;
            continue;
        }
        *p = t->wait_next;
        t->wait_next = NULL;
        if (first)
            sched_ready(t);
        else
            first = t;
    }
    return first;
}

void thread_expire(struct thread *t)
{
    switch (t->state) {
    case THREAD_WAIT_SIGNALS:
    case THREAD_WAIT_REQUEST:
        object_remove_waiter(t->wait_object, t);
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
