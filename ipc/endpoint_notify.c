/* SPDX-License-Identifier: MIT
 * Notifications: one level and 32 bits in each direction, beside the messages and without waiting. Bits are or-ed
 * together until the other end takes them all. Between CPUs the sender puts both into one atomic word of the other end,
 * `mail`, and announces it by a message unless one is under way already, which bounds the inbox. Who sends after the
 * receiver cleared ANNOUNCED announces again; who sent before is in the word that it reads. pairs: endpoint-mail.
 * Model: mail.pml. */
#include "ipc/endpoint_internal.h"

#include <arch/atomic.h>

#define MAIL_BITS UINT64_C(0xffffffff)
#define MAIL_USER (UINT64_C(1) << 32)      /* the level, as set last */
#define MAIL_RAISED (UINT64_C(1) << 33)    /* it was raised since the last look, even if it is down again */
#define MAIL_ANNOUNCED (UINT64_C(1) << 34) /* a message is under way */

static void update_user(struct endpoint *e)
{
    if (!e->user && !e->notified)
        object_lower(&e->object, SIGNAL_USER);
}

/* The living end's home CPU. A pulse wakes who waits already, and leaves nothing. */
static struct thread *receive(struct endpoint *e, uint32_t bits, bool raised, bool user)
{
    struct thread *woken = NULL;
    e->notified |= bits;
    e->user = user;
    if (bits || raised)
        woken = object_raise(&e->object, SIGNAL_USER);
    update_user(e);
    return woken;
}

static void run_mail(const struct inbox_message *m)
{
    struct endpoint *e = (struct endpoint *)m->word[0];
    uint64_t mail = load_relaxed(&e->mail);
    while (!cmpxchg_acqrel(&e->mail, &mail, mail & MAIL_USER)) /* pairs: endpoint-mail */
        ;
    struct thread *woken = receive(e, (uint32_t)mail, mail & MAIL_RAISED, mail & MAIL_USER);
    if (woken)
        sched_ready(woken);
}

static void send_mail(struct endpoint *to, uint64_t clear, uint64_t set, uint8_t priority)
{
    uint64_t mail = load_relaxed(&to->mail);
    while (!cmpxchg_acqrel(&to->mail, &mail, (mail & ~clear) | set | MAIL_ANNOUNCED)) /* pairs: endpoint-mail */
        ;
    struct inbox_message m = {run_mail, {(uint64_t)to}};
    if (!(mail & MAIL_ANNOUNCED))
        inbox_send(to->object.cpu, &m, priority);
}

static struct result after(struct thread *woken)
{
    return woken ? sched_ready_preempt(woken, result_ok(0)) : result_ok(0);
}

struct result endpoint_set_peer_user(struct endpoint *e, bool on)
{
    if (e->dead)
        return result_of(STATUS_UNAVAILABLE);
    if (!e->remote)
        return after(receive(e->peer, 0, on, on));
    send_mail(e->peer, on ? 0 : MAIL_USER, on ? MAIL_USER | MAIL_RAISED : 0, sched_current()->priority);
    return result_ok(0);
}

static __attribute__((noinline)) struct result notify_unusual(struct endpoint *e, uint32_t bits)
{
    if (e->dead)
        return result_of(STATUS_UNAVAILABLE);
    if (!bits)
        return result_ok(0);
    if (!e->remote)
        return after(receive(e->peer, bits, true, e->peer->user));
    send_mail(e->peer, 0, bits, sched_current()->priority);
    return result_ok(0);
}

/* Usually one thread waits in object_take: it has the bits at once, and USER need not rise for it to fall again. */
struct result endpoint_notify(struct endpoint *e, uint32_t bits)
{
    struct endpoint *peer = e->peer;
    if (e->dead | e->remote)
        return notify_unusual(e, bits);
    struct waiter *w = peer->object.waiters;
    if (!w || w->next || w->state != THREAD_WAIT_TAKE || !bits)
        return notify_unusual(e, bits);
    struct thread *t = thread_of_waiter(w);
    peer->object.waiters = NULL;
    t->result = result_ok(bits);
    timer_deadline_clear(t);
    return sched_ready_preempt(t, result_ok(0));
}

bool endpoint_take_for(struct endpoint *e, struct thread *t)
{
    if (!e->notified && !e->dead)
        return false;
    t->result = e->notified ? result_ok(e->notified) : result_of(STATUS_UNAVAILABLE);
    e->notified = 0;
    update_user(e);
    return true;
}

struct result endpoint_take(struct endpoint *e, uint64_t deadline_ns)
{
    struct thread *t = sched_current();
    if (!e->notified && !e->dead && !e->object.waiters && timer_is_later(deadline_ns)) {
        *t->deadline_ns = deadline_ns;
        t->waiter.mask = SIGNAL_USER | SIGNAL_ERROR;
        t->waiter.state = THREAD_WAIT_TAKE;
        t->wait_object = &e->object;
        e->object.waiters = &t->waiter;
        sched_block();
    }
    if (endpoint_take_for(e, t))
        return t->result;
    return object_block(&e->object, THREAD_WAIT_TAKE, SIGNAL_USER | SIGNAL_ERROR, deadline_ns, NULL);
}
