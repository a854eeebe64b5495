/* SPDX-License-Identifier: MIT
 * The queue of signalled members, and giving them out. */
#include "ipc/wait_group.h"

#include "ipc/endpoint.h"
#include "sched/sched.h"

static void enqueue(struct member_queue *q, struct member *m)
{
    m->group->queued++;
    m->queue = q;
    m->next = NULL;
    m->previous = q->last;
    if (q->last)
        q->last->next = m;
    else
        q->first = m;
    q->last = m;
}

static void dequeue(struct member *m)
{
    struct member_queue *q = m->queue;
    m->group->queued--;
    if (m->previous)
        m->previous->next = m->next;
    else
        q->first = m->next;
    if (m->next)
        m->next->previous = m->previous;
    else
        q->last = m->previous;
    m->queue = NULL;
    m->next = m->previous = NULL;
}

/* Signals for which the member is there: all of its mask, but for a request that was taken; for who takes requests, one
 * that was read is none either. */
static uint32_t pending_of(const struct member *m, bool takes)
{
    uint32_t pending = m->object->signals & m->waiter.mask;
    if (!(pending & SIGNAL_READABLE) || m->object->type != IMAGE_OBJECT_CHANNEL_HANDLER)
        return pending;
    uint8_t gone = takes ? READING_BEGUN : READING_TAKEN;
    return ((const struct endpoint *)m->object)->reading & gone ? pending & ~SIGNAL_READABLE : pending;
}

/* The queue that the member belongs in; NULL if it is not signalled. */
static struct member_queue *queue_of(const struct member *m)
{
    if (!pending_of(m, false))
        return NULL;
    return pending_of(m, true) ? &m->group->fresh : &m->group->read;
}

/* The request goes to `t`, which waits for one. False if a remote initiator gave up meanwhile. */
static bool give_request(struct member *m, struct thread *t)
{
    struct endpoint *h = (struct endpoint *)m->object;
    if (!endpoint_deliver(h, t))
        return false;
    t->served = h;
    h->taker = t;
    h->reading |= READING_TAKEN;
    t->result = result_signals((uint32_t)t->result.value | RESULT_REQUEST, m->user_data);
    return true;
}

static bool give_signals(struct member *m, struct thread *t, bool takes)
{
    t->result = result_signals(m->object->signals, m->user_data);
    if (takes)
        object_lower(m->object, SIGNAL_ERROR); /* told once */
    return true;
}

/* What the member has for `t`; false if nothing, after all. */
static bool give(struct member *m, struct thread *t)
{
    bool takes = t->waiter.state == THREAD_WAIT_REQUEST;
    uint32_t pending = pending_of(m, takes);
    bool given = false;
    if (takes && (pending & SIGNAL_READABLE) && m->object->type == IMAGE_OBJECT_CHANNEL_HANDLER)
        given = give_request(m, t);
    else if (pending)
        given = give_signals(m, t, takes);
    struct member_queue *q = queue_of(m);
    if (q)
        enqueue(q, m);
    return given;
}

/* The first member in the queue that has something for `t`. One that has nothing leaves this queue, or, if a remote
 * initiator gave up, comes again only with another signal: so this ends. */
static bool take_from(struct member_queue *q, struct thread *t)
{
    while (q->first) {
        struct member *m = q->first;
        dequeue(m);
        if (give(m, t))
            return true;
    }
    return false;
}

static bool take(struct wait_group *g, struct thread *t)
{
    if (t->waiter.state == THREAD_WAIT_REQUEST)
        return take_from(&g->fresh, t);
    g->read_first = !g->read_first;
    return take_from(g->read_first ? &g->read : &g->fresh, t) || take_from(g->read_first ? &g->fresh : &g->read, t);
}

static struct result wait(struct wait_group *g, enum thread_state state, uint32_t mask, uint64_t deadline_ns,
                          struct thread *woken)
{
    struct thread *t = sched_current();
    t->waiter.state = (uint8_t)state;
    bool done = take(g, t);
    t->waiter.state = THREAD_RUNNING;
    if (!done && !g->members) {
        t->result = result_of(STATUS_INVALID_ARGUMENT);
        done = true;
    }
    if (!done)
        return object_block(&g->object, state, mask, deadline_ns, woken);
    if (woken)
        return sched_ready_preempt(woken, t->result);
    return t->result;
}

struct result wait_group_wait(struct wait_group *g, uint32_t mask, uint64_t deadline_ns)
{
    return wait(g, THREAD_WAIT_SIGNALS, mask, deadline_ns, NULL);
}

struct result wait_group_take_request(struct wait_group *g, char *buffer, uint64_t room, uint64_t deadline_ns,
                                      struct thread *woken)
{
    struct thread *t = sched_current();
    t->buffer = buffer;
    t->buffer_bytes = room;
    return wait(g, THREAD_WAIT_REQUEST, SIGNAL_READABLE, deadline_ns, woken);
}

/* Ends the wait of `t`, whose result is set. */
static struct thread *wake(struct wait_group *g, struct thread *t, struct thread *first)
{
    object_remove_waiter(&g->object, &t->waiter);
    timer_deadline_clear(t);
    if (!first)
        return t;
    sched_ready(t);
    return first;
}

/* Gives what is in the queues to who waits. */
static struct thread *serve(struct wait_group *g)
{
    struct thread *first = NULL;
    for (struct waiter *w = g->object.waiters; w && g->queued;) {
        struct thread *t = thread_of_waiter(w);
        w = w->next;
        if ((t->waiter.mask & SIGNAL_READABLE) && take(g, t))
            first = wake(g, t, first);
    }
    return first;
}

struct thread *wait_group_signal(struct member *m)
{
    struct member_queue *q = queue_of(m);
    if (!q) /* a waiter before it has had the signal */
        return NULL;
    if (m->queue && m->queue != q)
        dequeue(m);
    if (!m->queue)
        enqueue(q, m);
    return serve(m->group);
}

enum status wait_group_add(struct wait_group *g, struct object *o, uint32_t mask, uint64_t user_data,
                           struct thread **woken)
{
    struct member *m = o->member;
    *woken = NULL;
    if (!mask || (mask & ~SIGNAL_VALID) || o->type == IMAGE_OBJECT_WAIT_GROUP)
        return STATUS_INVALID_ARGUMENT;
    if (!o->waitable)
        return STATUS_UNIMPLEMENTED;
    if (m->group)
        return STATUS_RESOURCE_EXHAUSTED;
    m->group = g;
    m->user_data = user_data;
    m->waiter.mask = mask;
    m->waiter.state = WAITER_MEMBER;
    g->members++;
    object_add_waiter(o, &m->waiter);
    if (o->signals & mask)
        *woken = wait_group_signal(m);
    return STATUS_OK;
}

static void leave(struct wait_group *g, struct member *m)
{
    object_remove_waiter(m->object, &m->waiter);
    if (m->queue)
        dequeue(m);
    m->group = NULL;
    g->members--;
}

enum status wait_group_remove(struct wait_group *g, struct object *o)
{
    if (!o->member || o->member->group != g)
        return STATUS_NOT_FOUND;
    leave(g, o->member);
    while (!g->members && g->object.waiters) {
        struct thread *t = thread_of_waiter(g->object.waiters);
        t->result = result_of(STATUS_INVALID_ARGUMENT);
        sched_ready(wake(g, t, NULL));
    }
    return STATUS_OK;
}

void wait_group_forget(struct object *o)
{
    if (o->member && o->member->group)
        leave(o->member->group, o->member);
}
