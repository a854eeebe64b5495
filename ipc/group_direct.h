/* SPDX-License-Identifier: MIT
 * The way a round trip takes when the server waits for many clients through a wait group and nothing is unusual: as in
 * endpoint_direct.h, the CPU goes to the other side, which waits. "Usual" means that no member is signalled but the one
 * that is served, so the queue of the group is empty and need not be asked; then ipc/wait_group.c comes to the same.
 * Touched besides: the member, the group. */
#pragma once
#include "ipc/endpoint_direct.h"
#include "ipc/wait_group.h"

/* The group whose thread, alone, waits for a request of `h`, and nobody else does; NULL. */
ENDPOINT_INLINE struct wait_group *group_that_waits(const struct endpoint *h)
{
    struct waiter *w = h->object.waiters;
    if (!endpoint_likely(w && w->state == WAITER_MEMBER && !w->next && (w->mask & SIGNAL_READABLE)))
        return NULL;
    struct wait_group *g = member_of_waiter(w)->group;
    struct waiter *server = g->object.waiters;
    return server && server->state == THREAD_WAIT_REQUEST && !server->next && !g->queued ? g : NULL;
}

/* endpoint_transact, if a thread waits for a request through a group. */
ENDPOINT_INLINE void endpoint_transact_group(struct endpoint *e, const char *send, uint64_t n, char *receive,
                                             uint64_t room, uint64_t deadline_ns)
{
    struct endpoint *h = e->local_peer;
    struct wait_group *g = group_that_waits(h);
    if (!g || h->reading != READING_NOT_BEGUN)
        return;
    struct thread *server = thread_of_waiter(g->object.waiters);
    if (!endpoint_likely(sched_can_handoff(server) && timer_is_later(deadline_ns) && n < RESULT_REQUEST))
        return;
    assert(!e->caller); /* under way means READABLE, and then the request is pending, or taken: reading has begun */
    /* point of no return */
    struct thread *t = sched_current();
    *t->deadline_ns = deadline_ns;
    endpoint_wait_for_response(e, t);
    h->request = send;
    h->request_bytes = n;
    h->response = receive;
    h->response_room = room;
    h->reading = READING_BEGUN | READING_TAKEN;
    h->taker = server;
    h->object.signals |= SIGNAL_READABLE;
    g->object.waiters = NULL;
    server->served = h;
    server->result = result_signals((uint32_t)n | RESULT_REQUEST, h->object.member->user_data);
    endpoint_handoff_result(t, server, server->buffer, send, endpoint_smaller(n, server->buffer_bytes));
}

/* endpoint_respond_and_wait_group, if it answers a request on this CPU. */
ENDPOINT_INLINE void endpoint_respond_and_wait_group_direct(struct wait_group *g, const char *response, uint64_t n,
                                                            char *buffer, uint64_t room, uint64_t deadline_ns)
{
    struct thread *t = sched_current();
    struct endpoint *h = t->served;
    if (!endpoint_likely(response && h && h->reading == (READING_BEGUN | READING_TAKEN) && h->taker == t &&
                         !g->queued && !g->object.waiters && g->members))
        return;
    struct endpoint *e = h->local_peer;
    struct thread *caller = e->caller;
    if (!endpoint_likely(caller && n <= h->response_room && !e->object.waiters && sched_can_handoff(caller) &&
                         timer_is_later(deadline_ns)))
        return;
    /* point of no return */
    *t->deadline_ns = deadline_ns;
    h->reading = READING_NOT_BEGUN;
    object_lower(&h->object, SIGNAL_READABLE);
    e->caller = NULL;
    e->object.signals |= SIGNAL_WRITEABLE;
    t->buffer = buffer;
    t->buffer_bytes = room;
    t->waiter.mask = SIGNAL_READABLE;
    t->waiter.state = THREAD_WAIT_REQUEST;
    t->wait_object = &g->object;
    g->object.waiters = &t->waiter;
    endpoint_handoff(t, caller, h->response, response, n, n); /* (1) */
}
