/* SPDX-License-Identifier: MIT
 * Transactions that nobody is blocked in: started, later collected or cancelled. While one is under way the initiator
 * has no caller, and `async` says how far it is. */
#include "ipc/endpoint_direct.h"
#include "ipc/endpoint_internal.h"

/* The thread to run next, or NULL. */
static struct thread *start(struct endpoint *e, const struct request *r)
{
    e->async = ASYNC_PENDING;
    endpoint_meet(e);
    object_lower(&e->object, SIGNAL_WRITEABLE);
    if (!e->remote)
        return endpoint_post(e->peer, r);
    remote_start(e, r);
    return NULL;
}

struct result endpoint_async_transact(struct endpoint *e, const struct pieces *send, const struct pieces *receive)
{
    enum status s = endpoint_may_start(e);
    if (s != STATUS_OK)
        return result_of(s);
    /* point of no return */
    struct request r = endpoint_keep_parts(e, send, receive);
    struct thread *woken = start(e, &r);
    return woken ? sched_ready_preempt(woken, result_ok(0)) : result_ok(0);
}

/* The transaction is gone; another may start. */
static void finish(struct endpoint *e)
{
    e->async = ASYNC_NONE;
    endpoint_meet(e);
    object_lower(&e->object, SIGNAL_READABLE);
    if (!e->dead)
        object_raise_ready(&e->object, SIGNAL_WRITEABLE);
}

struct result endpoint_async_complete(struct endpoint *e)
{
    struct result r = e->async_result;
    if (e->async != ASYNC_DONE)
        return result_of(e->async == ASYNC_PENDING ? STATUS_FAILED_PRECONDITION : STATUS_UNAVAILABLE);
    finish(e);
    return sched_preempt(r);
}

void endpoint_kernel_start(struct endpoint *e, const char *send, uint64_t n, char *receive, uint64_t room)
{
    struct request r = {send, n, receive, room, 0};
    assert(endpoint_may_start(e) == STATUS_OK);
    struct thread *woken = start(e, &r);
    if (woken)
        sched_ready(woken);
}

struct result endpoint_kernel_collect(struct endpoint *e)
{
    struct result r = e->async_result;
    assert(e->async == ASYNC_DONE);
    finish(e);
    return r;
}

/* The handler has nothing to answer any more; false if it is answering at this moment, on another CPU. */
static bool give_up(struct endpoint *e)
{
    if (e->remote)
        return remote_cancel(e);
    endpoint_withdraw(e->peer);
    return true;
}

/* The answer is being written: the buffers are free when its message comes, which this thread waits for. */
static _Noreturn void wait_for_answer(struct endpoint *e)
{
    e->async = ASYNC_CANCELLED;
    endpoint_wait_for_response(e, sched_current());
    sched_block();
}

void endpoint_abandon(struct endpoint *e)
{
    e->caller = NULL;
    e->async = give_up(e) ? ASYNC_NONE : ASYNC_ABANDONED; /* only between CPUs, where there is no direct way anyway */
    if (e->async == ASYNC_NONE && !e->dead)
        object_raise_ready(&e->object, SIGNAL_WRITEABLE);
}

struct result endpoint_async_cancel(struct endpoint *e)
{
    if (!endpoint_is_busy(e) || e->async == ASYNC_ABANDONED)
        return result_of(STATUS_UNAVAILABLE);
    bool gone = e->async == ASYNC_DONE || give_up(e);
    if (e->caller) /* another thread's */
        return gone ? sched_ready_preempt(endpoint_complete(e, result_of(STATUS_CANCELLED)), result_ok(0)) /* (4) */
                    : result_of(STATUS_UNAVAILABLE);
    if (!gone)
        wait_for_answer(e);
    finish(e);
    return sched_preempt(result_ok(0));
}
