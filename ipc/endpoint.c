/* SPDX-License-Identifier: MIT
 * Transactions between two processes on one CPU, in every case. The case that matters, where the other side is there
 * and waits, is endpoint_direct.h's, with the same outcome. A wait for a response ends in exactly four ways: (1)
 * response, (2) the handler died, (3) deadline, (4) cancelled by another thread. */
#include "ipc/endpoint.h"

#include "ipc/copy.h"
#include "ipc/endpoint_direct.h"
#include "ipc/endpoint_internal.h"
#include "ipc/wait_group.h"
#include "sched/sched.h"
#include "sys/lib/panic.h"

struct endpoint endpoint_nobody;

void endpoint_withdraw(struct endpoint *h)
{
    if (!endpoint_is_pending(h))
        return;
    object_lower(&h->object, SIGNAL_READABLE);
    h->reading = h->reading & READING_BEGUN ? READING_WITHDRAWN : h->reading & READING_WITHDRAWN;
}

static const struct parts *parts_of(const struct endpoint *h)
{
    return (const struct parts *)(const void *)h->request;
}

static void copy_request(const struct endpoint *h, uint64_t offset, const struct pieces *to, uint64_t n)
{
    if (h->reading & READING_IN_PIECES) {
        pieces_copy(to, &parts_of(h)->send, offset, n);
        return;
    }
    struct pieces from = pieces_of((char *)(uintptr_t)h->request, h->request_bytes);
    pieces_copy(to, &from, offset, n);
}

void endpoint_write_response(const struct endpoint *h, const char *response, uint64_t n, const struct pieces *from)
{
    if (!from && !(h->reading & READING_IN_PIECES)) {
        message_copy(h->response, response, n);
        return;
    }
    struct pieces flat_from = pieces_of((char *)(uintptr_t)response, n), flat_to = pieces_of(h->response, n);
    pieces_copy(h->reading & READING_IN_PIECES ? &parts_of(h)->receive : &flat_to, from ? from : &flat_from, 0, n);
}

static __attribute__((noinline)) void deliver_pieces(const struct endpoint *h, const struct thread *t)
{
    struct pieces to = pieces_of(t->buffer, t->buffer_bytes);
    copy_request(h, 0, &to, endpoint_smaller(h->request_bytes, t->buffer_bytes));
}

bool endpoint_deliver(struct endpoint *h, struct thread *t)
{
    if (!endpoint_is_pending(h)) { /* woken by ERROR: the initiator is gone, which is told once */
        object_lower(&h->object, SIGNAL_ERROR);
        t->result = result_of(STATUS_UNAVAILABLE);
        return true;
    }
    if (h->reading & READING_IN_PIECES)
        deliver_pieces(h, t);
    else
        message_copy(t->buffer, h->request, endpoint_smaller(h->request_bytes, t->buffer_bytes));
    if (h->remote && !remote_is_open(h)) {
        endpoint_withdraw(h); /* its CANCEL or STOPPED is on the way */
        return false;
    }
    h->reading =
        (h->reading & (READING_IN_PIECES | READING_TAKEN)) | READING_BEGUN; /* who took it before, still has it */
    t->result = result_ok(h->request_bytes);
    return true;
}

_Noreturn void endpoint_level_and_resume(char *to, const char *from, uint64_t n, struct thread *next, uint64_t value)
{
    inbox_set_level(next->priority);
    message_copy(to, from, n);
    thread_resume_ok(next, value);
}

enum status endpoint_may_start(struct endpoint *e)
{
    if (e->dead)
        return STATUS_UNAVAILABLE;
    return endpoint_is_busy(e) ? STATUS_FAILED_PRECONDITION : STATUS_OK;
}

struct request endpoint_keep_parts(struct endpoint *e, const struct pieces *send, const struct pieces *receive)
{
    struct parts *p = &e->parts[e->unacknowledged ? !e->part : e->part];
    *p = (struct parts){*send, *receive};
    return (struct request){(const char *)p, send->total, NULL, receive->total, READING_IN_PIECES};
}

/* The checks have passed: the thread waits for the response. */
static _Noreturn void transact(struct endpoint *e, const struct request *r)
{
    endpoint_wait_for_response(e, sched_current());
    if (e->remote) {
        remote_start(e, r);
        sched_block();
    }
    struct thread *woken = endpoint_post(e->peer, r);
    if (woken)
        sched_block_for(woken);
    sched_block();
}

static __attribute__((noinline)) struct result transact_unusual(struct endpoint *e, const struct request *r,
                                                                uint64_t deadline_ns)
{
    enum status s = endpoint_may_start(e);
    if (s != STATUS_OK)
        return result_of(s);
    if (!timer_deadline_set(sched_current(), deadline_ns))
        return result_of(STATUS_DEADLINE_EXCEEDED);
    transact(e, r); /* point of no return */
}

/* On one CPU, the handler's thread may be anywhere: in the server's own loop of wait, read and respond, for one. */
struct result endpoint_transact(struct endpoint *e, const char *send, uint64_t n, char *receive, uint64_t room,
                                uint64_t deadline_ns)
{
    struct request r = {send, n, receive, room, 0};
    if (!endpoint_likely(!(e->dead | e->remote | e->async) && !e->caller && timer_is_later(deadline_ns)))
        return transact_unusual(e, &r, deadline_ns);
    /* point of no return */
    struct thread *t = sched_current();
    *t->deadline_ns = deadline_ns;
    endpoint_wait_for_response(e, t);
    struct thread *woken = endpoint_post(e->peer, &r);
    if (woken)
        sched_block_for(woken);
    sched_block();
}

struct result endpoint_transact_pieces(struct endpoint *e, const struct pieces *send, const struct pieces *receive,
                                       uint64_t deadline_ns)
{
    enum status s = endpoint_may_start(e);
    if (s != STATUS_OK)
        return result_of(s);
    if (!timer_deadline_set(sched_current(), deadline_ns))
        return result_of(STATUS_DEADLINE_EXCEEDED);
    struct request r = endpoint_keep_parts(e, send, receive); /* point of no return */
    transact(e, &r);
}

/* Nothing that may be read is there. */
static __attribute__((noinline)) struct result refuse_read(struct endpoint *h)
{
    h->reading &= READING_IN_PIECES;
    return result_of(STATUS_UNAVAILABLE);
}

struct result endpoint_read_pieces(struct endpoint *h, uint64_t offset, const struct pieces *to)
{
    if (!endpoint_is_pending(h) || (h->reading & READING_WITHDRAWN))
        return refuse_read(h);
    if (offset > h->request_bytes)
        return result_of(STATUS_OUT_OF_RANGE);
    uint64_t bytes = endpoint_smaller(to->total, h->request_bytes - offset);
    copy_request(h, offset, to, bytes);
    /* A remote initiator may give up while we copy: then what was copied is not the request any more. */
    if (h->remote && !remote_is_open(h)) {
        object_lower(&h->object, SIGNAL_READABLE);
        h->reading = READING_NOT_BEGUN;
        return result_of(STATUS_UNAVAILABLE);
    }
    h->reading |= READING_BEGUN;
    return result_ok(bytes);
}

static __attribute__((noinline)) struct result read_unusual(struct endpoint *h, uint64_t offset, char *buffer,
                                                            uint64_t n)
{
    struct pieces to = pieces_of(buffer, n);
    return endpoint_read_pieces(h, offset, &to);
}

struct result endpoint_read(struct endpoint *h, uint64_t offset, char *buffer, uint64_t n)
{
    if (!endpoint_is_pending(h) || h->reading > READING_BEGUN || h->remote)
        return read_unusual(h, offset, buffer, n);
    if (offset > h->request_bytes)
        return result_of(STATUS_OUT_OF_RANGE);
    uint64_t bytes = endpoint_smaller(n, h->request_bytes - offset);
    message_copy(buffer, h->request + offset, bytes);
    h->reading = READING_BEGUN;
    return result_ok(bytes);
}

static __attribute__((noinline)) struct thread *raise_and_return(struct endpoint *e, struct thread *t)
{
    if (!e->dead)
        object_raise_ready(&e->object, SIGNAL_WRITEABLE);
    return t;
}

/* The end of an asynchronous transaction is a signal; it is over when somebody collects it. */
static __attribute__((noinline)) struct thread *complete_async(struct endpoint *e, struct result result)
{
    if (e->async == ASYNC_ABANDONED) {
        e->async = ASYNC_NONE;
        return object_raise(&e->object, SIGNAL_WRITEABLE);
    }
    if (e->async != ASYNC_PENDING)
        return NULL;
    e->async = ASYNC_DONE;
    e->async_result = result;
    return object_raise(&e->object, SIGNAL_READABLE);
}

static inline __attribute__((always_inline)) struct thread *complete(struct endpoint *e, struct result result)
{
    struct thread *t = e->caller;
    if (!endpoint_likely(t))
        return complete_async(e, result);
    e->caller = NULL;
    t->result = result;
    timer_deadline_clear(t);
    if (!endpoint_likely(!e->object.waiters))
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
                                                                          uint64_t n, const struct pieces *from)
{
    if (endpoint_likely(!from && h->reading == READING_BEGUN))
        message_copy(h->response, response, n);
    else
        endpoint_write_response(h, response, n, from);
    h->reading = READING_NOT_BEGUN;
    object_lower(&h->object, SIGNAL_READABLE);
    return complete(h->peer, result_ok(n)); /* (1) */
}

static enum status respond_check(struct endpoint *h, uint64_t n)
{
    if (!(h->reading & READING_BEGUN))
        return (enum status)refuse_read(h).status;
    return n > h->response_room ? STATUS_OUT_OF_RANGE : STATUS_OK;
}

static __attribute__((noinline)) struct result respond_unusual(struct endpoint *h, const char *response, uint64_t n)
{
    enum status s = respond_check(h, n);
    if (s != STATUS_OK)
        return result_of(s);
    if (h->remote)
        return remote_respond(h, response, n, NULL);
    struct thread *t = respond_local(h, response, n, NULL);
    return t ? sched_ready_preempt(t, result_ok(0)) : result_ok(0);
}

struct result endpoint_respond(struct endpoint *h, const char *response, uint64_t n)
{
    if (!endpoint_likely(h->reading == READING_BEGUN && n <= h->response_room && !h->remote && h->peer->caller))
        return respond_unusual(h, response, n);
    return sched_ready_preempt(respond_local(h, response, n, NULL), result_ok(0));
}

struct result endpoint_respond_pieces(struct endpoint *h, const struct pieces *from)
{
    enum status s = respond_check(h, from->total);
    if (s != STATUS_OK)
        return result_of(s);
    if (h->remote)
        return remote_respond(h, NULL, from->total, from);
    struct thread *t = respond_local(h, NULL, from->total, from);
    return t ? sched_ready_preempt(t, result_ok(0)) : result_ok(0);
}

enum status endpoint_answer(struct endpoint *h, const char *response, uint64_t n, struct thread **woken)
{
    *woken = NULL;
    enum status s = respond_check(h, n);
    if (s == STATUS_OK && h->remote)
        return (enum status)remote_respond(h, response, n, NULL).status;
    if (s == STATUS_OK)
        *woken = respond_local(h, response, n, NULL);
    return s;
}

struct result endpoint_respond_and_wait(struct endpoint *h, const char *response, uint64_t n, char *buffer,
                                        uint64_t room, uint64_t deadline_ns)
{
    struct thread *t = sched_current(), *woken = NULL;
    enum status s = response ? endpoint_answer(h, response, n, &woken) : STATUS_OK;
    if (s != STATUS_OK)
        return result_of(s);
    t->buffer = buffer;
    t->buffer_bytes = room;
    if (!(h->object.signals & (SIGNAL_READABLE | SIGNAL_ERROR)) || !endpoint_deliver(h, t))
        return object_block(&h->object, THREAD_WAIT_REQUEST, SIGNAL_READABLE | SIGNAL_ERROR, deadline_ns, woken);
    return woken ? sched_ready_preempt(woken, t->result) : sched_preempt(t->result);
}

/* The request that the current thread took last through a group, and that is still its to answer. */
static struct endpoint *served_by(struct thread *t)
{
    struct endpoint *h = t->served;
    return h && (h->reading & READING_TAKEN) && h->taker == t ? h : NULL;
}

struct result endpoint_respond_and_wait_group(struct wait_group *g, const char *response, uint64_t n, char *buffer,
                                              uint64_t room, uint64_t deadline_ns)
{
    struct thread *t = sched_current(), *woken = NULL;
    if (response) {
        struct endpoint *h = served_by(t);
        enum status s = h ? endpoint_answer(h, response, n, &woken) : STATUS_UNAVAILABLE;
        if (s != STATUS_OK)
            return result_of(s);
    }
    return wait_group_take_request(g, buffer, room, deadline_ns, woken);
}

void endpoint_expire(struct thread *t)
{
    struct endpoint *e = (struct endpoint *)t->wait_object;
    if (e->remote) {
        if (!remote_cancel(e))
            return; /* (1) is on its way */
    } else {
        endpoint_withdraw(e->peer);
    }
    sched_ready(endpoint_complete(e, result_of(STATUS_DEADLINE_EXCEEDED))); /* (3) */
}
