/* SPDX-License-Identifier: MIT
 * The way a round trip takes when nothing is unusual: the other side is on this CPU and waits, so the CPU goes to it,
 * without run queue or scheduler. Each function here looks first and returns, with nothing changed, if anything is
 * unusual; then ipc/endpoint.c does the same thing the long way. tests/unit/ipc/endpoint_paths.c makes every call both
 * ways from the same states. Touched: this CPU's head, run-queue word and timer line, both threads, both ends, one cell
 * of the deadline table. Nobody runs beside it: all of these belong to this CPU, and interrupts are off. */
#pragma once
#include "ipc/copy.h"
#include "ipc/endpoint.h"
#include "sched/sched.h"
#include "sys/lib/panic.h"

#define endpoint_likely(x) __builtin_expect(!!(x), 1)
#define ENDPOINT_INLINE static inline __attribute__((always_inline))

static inline uint64_t endpoint_smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The last step of a handoff between priorities: this CPU says so before it goes on. */
__attribute__((noinline, cold)) _Noreturn void endpoint_level_and_resume(char *to, const char *from, uint64_t n,
                                                                         struct thread *next, uint64_t value);

/* The thread waits for the response to what it asked through `e`. */
ENDPOINT_INLINE void endpoint_wait_for_response(struct endpoint *e, struct thread *t)
{
    e->caller = t;
    object_lower(&e->object, SIGNAL_WRITEABLE);
    t->wait_object = &e->object;
    t->waiter.state = THREAD_WAIT_RESPONSE;
}

/* The thread is about to wait for a request. */
ENDPOINT_INLINE void endpoint_wait_for_request(struct thread *t, char *buffer, uint64_t room)
{
    t->buffer = buffer;
    t->buffer_bytes = room;
    t->waiter.mask = SIGNAL_READABLE | SIGNAL_ERROR;
    t->waiter.state = THREAD_WAIT_REQUEST;
}

/* The CPU goes from `previous`, which has blocked, to `next`, whose call gives `value` after `n` bytes have been
 * copied. */
ENDPOINT_INLINE _Noreturn void endpoint_handoff(const struct thread *previous, struct thread *next, char *to,
                                                const char *from, uint64_t n, uint64_t value)
{
    timer_deadline_clear(next);
    sched_switch(next);
    if (!endpoint_likely(next->rivals == previous->rivals)) /* equal priorities */
        endpoint_level_and_resume(to, from, n, next, value);
    message_copy(to, from, n);
    thread_resume_ok(next, value);
}

/* The same, if `next` has its result. */
ENDPOINT_INLINE _Noreturn void endpoint_handoff_result(const struct thread *previous, struct thread *next, char *to,
                                                       const char *from, uint64_t n)
{
    timer_deadline_clear(next);
    sched_switch(next);
    if (!endpoint_likely(next->rivals == previous->rivals))
        inbox_set_level(next->priority);
    message_copy(to, from, n);
    thread_resume(next);
}

/* endpoint_transact, if the handler's thread waits for a request. */
ENDPOINT_INLINE void endpoint_transact_direct(struct endpoint *e, const char *send, uint64_t n, char *receive,
                                              uint64_t room, uint64_t deadline_ns)
{
    struct endpoint *h = e->local_peer;
    struct waiter *w = h->object.waiters;
    if (!endpoint_likely(w && w->state == THREAD_WAIT_REQUEST && !w->next))
        return;
    struct thread *server = thread_of_waiter(w);
    if (!endpoint_likely(sched_can_handoff(server) && timer_is_later(deadline_ns)))
        return;
    assert(!e->caller); /* under way means READABLE, and who waits for a request then is THREAD_WAIT_BEHIND */
    /* point of no return */
    struct thread *t = sched_current();
    *t->deadline_ns = deadline_ns;
    endpoint_wait_for_response(e, t);
    h->request = send;
    h->request_bytes = n;
    h->response = receive;
    h->response_room = room;
    h->reading = READING_BEGUN;
    h->object.signals |= SIGNAL_READABLE;
    h->object.waiters = NULL;
    endpoint_handoff(t, server, server->buffer, send, endpoint_smaller(n, server->buffer_bytes), n);
}

/* endpoint_respond_and_wait, if it answers and the initiator's thread waits for it. */
ENDPOINT_INLINE void endpoint_respond_and_wait_direct(struct endpoint *h, const char *response, uint64_t n,
                                                      char *buffer, uint64_t room, uint64_t deadline_ns)
{
    struct endpoint *e = h->local_peer;
    struct thread *caller = e->caller;
    if (!endpoint_likely(response && caller && h->reading == READING_BEGUN && n <= h->response_room &&
                         !h->object.waiters && !e->object.waiters && sched_can_handoff(caller) &&
                         timer_is_later(deadline_ns)))
        return;
    /* point of no return */
    struct thread *t = sched_current();
    *t->deadline_ns = deadline_ns;
    h->reading = READING_NOT_BEGUN;
    object_lower(&h->object, SIGNAL_READABLE);
    e->caller = NULL;
    e->object.signals |= SIGNAL_WRITEABLE;
    endpoint_wait_for_request(t, buffer, room);
    t->wait_object = &h->object;
    h->object.waiters = &t->waiter;
    endpoint_handoff(t, caller, h->response, response, n, n); /* (1) */
}
