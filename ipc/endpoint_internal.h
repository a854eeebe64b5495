/* SPDX-License-Identifier: MIT
 * Between the files of ipc/endpoint*.c. */
#pragma once
#include "ipc/endpoint.h"

/* Who has the transaction of this generation: the initiator gives up by taking it from OPEN to CANCELLED, the handler
 * answers after it took it from OPEN to ANSWERED. */
enum endpoint_claim { CLAIM_OPEN, CLAIM_ANSWERED, CLAIM_CANCELLED };

/* A request: where the bytes are. In pieces: `request` is a struct parts, and n and room are the sums. */
struct request {
    const char *request;
    uint64_t n;
    char *response;
    uint64_t room;
    uint8_t in_pieces; /* 0 or READING_IN_PIECES */
};

/* A request is there and not answered. */
static inline bool endpoint_is_pending(const struct endpoint *h)
{
    return h->object.signals & SIGNAL_READABLE;
}

/* A transaction is under way. */
static inline bool endpoint_is_busy(const struct endpoint *e)
{
    return e->caller || e->async != ASYNC_NONE;
}

/* Whether the direct way to the peer is open: not for an initiator with an asynchronous transaction, nor to a peer that
 * is dead or elsewhere. After any change of these. */
static inline void endpoint_meet(struct endpoint *e)
{
    bool direct = !e->remote && !e->dead && e->async == ASYNC_NONE;
    e->local_peer = direct ? e->peer : &endpoint_nobody;
}

/* A transaction may start: OK, or what to say. */
enum status endpoint_may_start(struct endpoint *e);

/* Keeps the pieces of a transaction that starts. */
struct request endpoint_keep_parts(struct endpoint *e, const struct pieces *send, const struct pieces *receive);

/* A request is there: fills in the handler end and wakes who waits for it; the thread to run next, or NULL. */
static inline __attribute__((always_inline)) struct thread *endpoint_post(struct endpoint *h, const struct request *r)
{
    h->request = r->request;
    h->request_bytes = r->n;
    h->response = r->response;
    h->response_room = r->room;
    h->reading = (h->reading & READING_WITHDRAWN) | r->in_pieces;
    return object_raise(&h->object, SIGNAL_READABLE);
}

/* Sends the request of a transaction that has begun to the other CPU, or holds it back. */
void remote_start(struct endpoint *e, const struct request *r);

/* Takes the claim and answers; the request has been checked. `from` is NULL or has the answer in pieces. */
struct result remote_respond(struct endpoint *h, const char *response, uint64_t n, const struct pieces *from);

/* The request pending on `h` is still wanted by its remote initiator. */
bool remote_is_open(const struct endpoint *h);

/* The initiator gives up; false if the answer is already on its way. */
bool remote_cancel(struct endpoint *e);

/* Tells the peer's CPU that the process of `e` died, or started again. */
void remote_stop(struct endpoint *e);
void remote_start_again(struct endpoint *e);

/* What the living end does when its peer died, or started again. */
void endpoint_peer_stopped(struct endpoint *e);
void endpoint_peer_started(struct endpoint *e);

/* Copies the answer to where the initiator wants it. */
void endpoint_write_response(const struct endpoint *h, const char *response, uint64_t n, const struct pieces *from);
