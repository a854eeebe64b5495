/* SPDX-License-Identifier: MIT
 * Transactions between two processes on one CPU, in every case. The case that matters, where the other side is there
 * and waits, is endpoint_direct.h's, with the same outcome. A wait for a response ends in exactly three ways: (1)
 * response, (2) the handler died, (3) deadline. */
#include "ipc/endpoint.h"

#include "ipc/copy.h"
#include "ipc/endpoint_direct.h"
#include "ipc/endpoint_internal.h"
#include "sched/sched.h"
#include "sys/lib/panic.h"

struct endpoint endpoint_nobody;

struct thread *endpoint_post(struct endpoint *h, const char *request, uint64_t n, char *response, uint64_t room)
{
    h->request = request;
    h->request_bytes = n;
    h->response = response;
    h->response_room = room;
    if (h->reading == READING_BEGUN)
        h->reading = READING_NOT_BEGUN;
    return object_raise(&h->object, SIGNAL_READABLE);
}

void endpoint_withdraw(struct endpoint *h)
{
    if (!endpoint_is_pending(h))
        return;
    object_lower(&h->object, SIGNAL_READABLE);
    if (h->reading == READING_BEGUN)
        h->reading = READING_WITHDRAWN;
}

bool endpoint_deliver(struct endpoint *h, struct thread *t)
{
    if (!endpoint_is_pending(h)) { /* woken by ERROR: the initiator is gone */
        t->result = result_of(STATUS_UNAVAILABLE);
        return true;
    }
    message_copy(t->buffer, h->request, endpoint_smaller(h->request_bytes, t->buffer_bytes));
    if (h->remote && !remote_is_open(h)) {
        object_lower(&h->object, SIGNAL_READABLE); /* its CANCEL or STOPPED is on the way */
        return false;
    }
    h->reading = READING_BEGUN;
    t->result = result_ok(h->request_bytes);
    return true;
}

_Noreturn void endpoint_level_and_resume(char *to, const char *from, uint64_t n, struct thread *next, uint64_t value)
{
    inbox_set_level(next->priority);
    message_copy(to, from, n);
    thread_resume_ok(next, value);
}

struct result endpoint_transact(struct endpoint *e, const char *send, uint64_t n, char *receive, uint64_t room,
                                uint64_t deadline_ns)
{
    struct thread *t = sched_current();
    if (e->dead || e->caller)
        return result_of(STATUS_UNAVAILABLE);
    if (e->remote)
        return remote_transact(e, send, n, receive, room, deadline_ns);
    if (!timer_deadline_set(t, deadline_ns))
        return result_of(STATUS_DEADLINE_EXCEEDED);
    /* point of no return */
    endpoint_wait_for_response(e, t);
    struct thread *woken = endpoint_post(e->peer, send, n, receive, room);
    if (woken)
        sched_block_for(woken);
    sched_block();
}

static bool read_is_refused(struct endpoint *h)
{
    return !endpoint_is_pending(h) || h->reading == READING_WITHDRAWN;
}

/* The initiator may give up while we copy: then what was copied is not the request any more. */
static __attribute__((noinline)) struct result read_remote(struct endpoint *h, uint64_t offset, char *buffer,
                                                           uint64_t bytes)
{
    message_copy(buffer, h->request + offset, bytes);
    if (remote_is_open(h)) {
        h->reading = READING_BEGUN;
        return result_ok(bytes);
    }
    object_lower(&h->object, SIGNAL_READABLE);
    h->reading = READING_NOT_BEGUN;
    return result_of(STATUS_UNAVAILABLE);
}

struct result endpoint_read(struct endpoint *h, uint64_t offset, char *buffer, uint64_t n)
{
    if (read_is_refused(h)) {
        h->reading = READING_NOT_BEGUN;
        return result_of(STATUS_UNAVAILABLE);
    }
    if (offset > h->request_bytes)
        return result_of(STATUS_OUT_OF_RANGE);
    uint64_t bytes = endpoint_smaller(n, h->request_bytes - offset);
    if (h->remote)
        return read_remote(h, offset, buffer, bytes);
    message_copy(buffer, h->request + offset, bytes);
    h->reading = READING_BEGUN;
    return result_ok(bytes);
}

static __attribute__((noinline)) struct thread *raise_and_return(struct endpoint *e, struct thread *t)
{
    object_raise_ready(&e->object, SIGNAL_WRITEABLE);
    return t;
}

static inline __attribute__((always_inline)) struct thread *complete(struct endpoint *e, struct result result)
{
    struct thread *t = e->caller;
    e->caller = NULL;
    t->result = result;
    timer_deadline_clear(t);
    if (e->object.waiters)
        return raise_and_return(e, t);
    e->object.signals |= SIGNAL_WRITEABLE;
    return t;
}

struct thread *endpoint_complete(struct endpoint *e, struct result result)
{
    return complete(e, result);
}

/* Answers on this CPU; the initiator's thread, to be run or made ready. The request has been checked. */
static inline __attribute__((always_inline)) struct thread *respond_local(struct endpoint *h, const char *response,
                                                                          uint64_t n)
{
    message_copy(h->response, response, n);
    h->reading = READING_NOT_BEGUN;
    object_lower(&h->object, SIGNAL_READABLE);
    return complete(h->peer, result_ok(n)); /* (1) */
}

static enum status respond_check(struct endpoint *h, uint64_t n)
{
    if (h->reading != READING_BEGUN) {
        h->reading = READING_NOT_BEGUN;
        return STATUS_UNAVAILABLE;
    }
    return n > h->response_room ? STATUS_OUT_OF_RANGE : STATUS_OK;
}

struct result endpoint_respond(struct endpoint *h, const char *response, uint64_t n)
{
    enum status s = respond_check(h, n);
    if (s != STATUS_OK)
        return result_of(s);
    if (h->remote)
        return remote_respond(h, response, n);
    return sched_ready_preempt(respond_local(h, response, n), result_ok(0));
}

struct result endpoint_respond_and_wait(struct endpoint *h, const char *response, uint64_t n, char *buffer,
                                        uint64_t room, uint64_t deadline_ns)
{
    struct thread *t = sched_current(), *woken = NULL;
    if (response) {
        enum status s = respond_check(h, n);
        if (s == STATUS_OK && h->remote)
            s = (enum status)remote_respond(h, response, n).status;
        else if (s == STATUS_OK)
            woken = respond_local(h, response, n);
        if (s != STATUS_OK)
            return result_of(s);
    }
    endpoint_wait_for_request(t, buffer, room);
    bool done = (h->object.signals & t->mask) && endpoint_deliver(h, t);
    if (!done && !timer_deadline_set(t, deadline_ns)) {
        t->result = result_of(STATUS_DEADLINE_EXCEEDED);
        done = true;
    }
    if (!done) {
        object_add_waiter(&h->object, t);
        if (woken)
            sched_block_for(woken);
        sched_block();
    }
    t->state = THREAD_RUNNING;
    if (woken)
        sched_ready(woken);
    return sched_preempt(t->result);
}

void endpoint_expire(struct thread *t)
{
    struct endpoint *e = (struct endpoint *)t->wait_object, *h = e->peer;
    if (e->remote) {
        if (!remote_cancel(e))
            return; /* (1) is on its way */
    } else {
        endpoint_withdraw(h);
    }
    sched_ready(endpoint_complete(e, result_of(STATUS_DEADLINE_EXCEEDED))); /* (3) */
}

/* The initiator's process ends: nobody wants the answer. */
static void stop_initiator(struct endpoint *e)
{
    struct endpoint *h = e->peer;
    h->local_peer = &endpoint_nobody;
    h->dead = true;
    endpoint_withdraw(h);
    e->caller = NULL;
    object_raise_ready(&h->object, SIGNAL_ERROR);
}

/* The handler's process ends: the caller learns it now. */
static void stop_handler(struct endpoint *h)
{
    struct endpoint *e = h->peer;
    e->local_peer = &endpoint_nobody;
    e->dead = true;
    object_lower(&h->object, SIGNAL_READABLE);
    if (e->caller)
        sched_ready(endpoint_complete(e, result_of(STATUS_UNAVAILABLE))); /* (2) */
    object_raise_ready(&e->object, SIGNAL_ERROR);
}

void endpoint_stop(struct endpoint *e)
{
    if (e->remote)
        remote_stop(e);
    else if (e->object.type == IMAGE_OBJECT_CHANNEL_INITIATOR)
        stop_initiator(e);
    else
        stop_handler(e);
}
