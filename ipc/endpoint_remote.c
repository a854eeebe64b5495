/* SPDX-License-Identifier: MIT
 * Transactions between two CPUs. Each end is touched by its own CPU only; they send each other messages:
 *
 *   initiator's CPU                                   handler's CPU
 *   REQUEST generation, buffers, priority   ------->  endpoint_post
 *                                           <-------  RESPONSE generation, bytes       after it copied the answer
 *   CANCEL generation (deadline, cancel)    ------->  drops the request
 *                                           <-------  CANCELLED                         echo: a held request goes out
 *   STOPPED: the process of this end died   <------>  SEEN, back: nothing of the time before is under way any more
 *   STARTED: it runs again, after SEEN      <------>
 *
 * The handler's CPU reads and writes the initiator's buffers itself, through the direct map. Whether it still may is
 * decided by one word, `claim`, which has two writers: the handler takes it OPEN -> ANSWERED before it writes the
 * answer, the initiator's CPU takes it OPEN -> CANCELLED when it gives up. One of the two exchanges fails. If the
 * handler won, the initiator waits on: RESPONSE is certain and near. If the initiator won, nothing is written, and
 * respond says UNAVAILABLE. The generation in the word keeps a late handler from mistaking the next transaction for the
 * old one. pairs: claim
 *
 * Each CPU's messages arrive in order, and a CPU finishes what it does before it takes the next one. So SEEN says that
 * no request of the dead is still on its way to it, and that no answer is being written to its memory: it may be loaded
 * again.
 *
 * Under way at most, each once: to a handler end STARTED, REQUEST, CANCEL, STOPPED (a short life), SEEN and an
 * announcement of mail; to an initiator end RESPONSE or CANCELLED and all but the second and third of these, since a
 * request after a cancellation is held until the echo, and a restart until SEEN. This bounds an inbox (sys/load.c).
 * Model: claim.pml. */
#include "ipc/copy.h"
#include "ipc/endpoint_internal.h"
#include "sched/sched.h"
#include "sys/lib/panic.h"

#include <arch/atomic.h>

static uint32_t claim_word(uint32_t generation, enum endpoint_claim claim)
{
    return generation << 2 | (uint32_t)claim;
}

/* OPEN -> next, for this generation only. */
static bool claim_take(uint32_t *claim, uint32_t generation, enum endpoint_claim next)
{
    uint32_t open = claim_word(generation, CLAIM_OPEN);
    return cmpxchg_acqrel(claim, &open, claim_word(generation, next)); /* pairs: claim */
}

static void run_request(const struct inbox_message *m);
static void run_response(const struct inbox_message *m);
static void run_cancel(const struct inbox_message *m);
static void run_cancelled(const struct inbox_message *m);
static void run_stopped(const struct inbox_message *m);
static void run_seen(const struct inbox_message *m);
static void run_started(const struct inbox_message *m);

static void send_to_peer(const struct endpoint *from, const struct inbox_message *m, uint8_t priority)
{
    inbox_send(from->peer->object.cpu, m, priority);
}

static void send_request(const struct endpoint *e)
{
    uint64_t head = (uint64_t)e->generation << 32 | (uint64_t)e->reading << 8 | e->priority;
    struct inbox_message m = {
        run_request,
        {(uint64_t)e->peer, head, (uint64_t)e->request, e->request_bytes, (uint64_t)e->response, e->response_room}};
    send_to_peer(e, &m, e->priority);
}

void remote_start(struct endpoint *e, const struct request *r)
{
    e->request = r->request;
    e->request_bytes = r->n;
    e->response = r->response;
    e->response_room = r->room;
    e->reading = r->in_pieces;
    e->priority = sched_current()->priority;
    e->generation = (e->generation + 1) & (UINT32_MAX >> 2);
    e->held = e->unacknowledged;
    if (e->held)
        return;
    store_release(&e->claim, claim_word(e->generation, CLAIM_OPEN)); /* pairs: claim */
    send_request(e);
}

/* Handler's CPU. */
static void run_request(const struct inbox_message *m)
{
    struct endpoint *h = (struct endpoint *)m->word[0];
    if (h->object.process->stopped)
        return; /* STOPPED is on the way to who asks */
    struct request r = {(const char *)m->word[2], m->word[3], (char *)m->word[4], m->word[5],
                        (uint8_t)(m->word[1] >> 8)};
    h->generation = (uint32_t)(m->word[1] >> 32);
    h->priority = (uint8_t)m->word[1];
    struct thread *woken = endpoint_post(h, &r);
    if (woken)
        sched_ready(woken);
}

bool remote_is_open(const struct endpoint *h)
{
    compiler_barrier(); /* the bytes that were just copied were read before this word; x86 keeps loads in order */
    return load_acquire(&h->peer->claim) == claim_word(h->generation, CLAIM_OPEN); /* pairs: claim */
}

/* Handler's CPU: the request has been checked against this end. */
struct result remote_respond(struct endpoint *h, const char *response, uint64_t n, const struct pieces *from)
{
    object_lower(&h->object, SIGNAL_READABLE);
    bool mine = claim_take(&h->peer->claim, h->generation, CLAIM_ANSWERED);
    if (mine) /* the message below is published after it: pairs: channel-publish */
        endpoint_write_response(h, response, n, from);
    h->reading = READING_NOT_BEGUN;
    if (!mine)
        return result_of(STATUS_UNAVAILABLE); /* given up; its CANCEL or STOPPED is on the way */
    struct inbox_message m = {run_response, {(uint64_t)h->peer, h->generation, n}};
    send_to_peer(h, &m, h->priority);
    return result_ok(0);
}

/* Initiator's CPU. The claim was taken, so the caller is still there; unless its process died. */
static void run_response(const struct inbox_message *m)
{
    struct endpoint *e = (struct endpoint *)m->word[0];
    if (e->generation != (uint32_t)m->word[1])
        return;
    bool cancelled = e->async == ASYNC_CANCELLED;
    if (cancelled)
        e->async = ASYNC_NONE;
    struct thread *t = endpoint_complete(e, result_ok(cancelled ? 0 : m->word[2])); /* (1) */
    if (t)
        sched_ready(t);
}

/* Initiator's CPU. */
bool remote_cancel(struct endpoint *e)
{
    if (e->held) {
        e->held = false; /* it never left */
        return true;
    }
    if (!claim_take(&e->claim, e->generation, CLAIM_CANCELLED))
        return false;
    e->unacknowledged = true;
    struct inbox_message m = {run_cancel, {(uint64_t)e->peer, e->generation}};
    send_to_peer(e, &m, THREAD_PRIORITIES - 1);
    return true;
}

/* Handler's CPU. */
static void run_cancel(const struct inbox_message *m)
{
    struct endpoint *h = (struct endpoint *)m->word[0];
    if (h->generation == (uint32_t)m->word[1])
        endpoint_withdraw(h);
    struct inbox_message echo = {run_cancelled, {(uint64_t)h->peer}};
    send_to_peer(h, &echo, THREAD_PRIORITIES - 1);
}

/* Initiator's CPU. */
static void run_cancelled(const struct inbox_message *m)
{
    struct endpoint *e = (struct endpoint *)m->word[0];
    e->unacknowledged = false;
    if (!e->held)
        return;
    e->held = false;
    e->part = !e->part;
    store_release(&e->claim, claim_word(e->generation, CLAIM_OPEN)); /* pairs: claim */
    send_request(e);
}

void remote_stop(struct endpoint *e)
{
    if (e->object.type == IMAGE_OBJECT_CHANNEL_INITIATOR && endpoint_is_busy(e) && !e->held)
        claim_take(&e->claim, e->generation, CLAIM_CANCELLED); /* no answer begins after this */
    e->object.process->unseen++;
    struct inbox_message m = {run_stopped, {(uint64_t)e->peer}};
    send_to_peer(e, &m, THREAD_PRIORITIES - 1);
}

/* The living end's CPU. */
static void run_stopped(const struct inbox_message *m)
{
    struct endpoint *e = (struct endpoint *)m->word[0];
    endpoint_peer_stopped(e);
    struct inbox_message seen = {run_seen, {(uint64_t)e->peer}};
    send_to_peer(e, &seen, THREAD_PRIORITIES - 1);
}

/* The dead end's CPU. */
static void run_seen(const struct inbox_message *m)
{
    struct process *p = ((struct endpoint *)m->word[0])->object.process;
    if (--p->unseen == 0)
        process_quiet(p);
}

void remote_start_again(struct endpoint *e)
{
    struct inbox_message m = {run_started, {(uint64_t)e->peer}};
    send_to_peer(e, &m, THREAD_PRIORITIES - 1);
}

static void run_started(const struct inbox_message *m)
{
    endpoint_peer_started((struct endpoint *)m->word[0]);
}
