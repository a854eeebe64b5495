/* SPDX-License-Identifier: MIT
 * Between endpoint.c (one CPU) and endpoint_remote.c (two CPUs). */
#pragma once
#include "ipc/endpoint.h"

/* Who has the transaction of this generation: the initiator gives up by taking it from OPEN to CANCELLED, the handler
 * answers after it took it from OPEN to ANSWERED. */
enum endpoint_claim { CLAIM_OPEN, CLAIM_ANSWERED, CLAIM_CANCELLED };

/* A request is there and not answered. */
static inline bool endpoint_is_pending(const struct endpoint *h)
{
    return h->object.signals & SIGNAL_READABLE;
}

/* A request is there: fills in the handler end and wakes who waits for it; the thread to run next, or NULL. */
struct thread *endpoint_post(struct endpoint *h, const char *request, uint64_t n, char *response, uint64_t room);

struct result remote_transact(struct endpoint *e, const char *send, uint64_t n, char *receive, uint64_t room,
                              uint64_t deadline_ns);
struct result remote_respond(struct endpoint *h, const char *response, uint64_t n);

/* The request pending on `h` is still wanted by its remote initiator. */
bool remote_is_open(const struct endpoint *h);

/* The initiator gives up; false if the answer is already on its way. */
bool remote_cancel(struct endpoint *e);

/* Tells the peer's CPU that the process of `e` died. */
void remote_stop(struct endpoint *e);
