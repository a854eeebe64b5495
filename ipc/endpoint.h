/* SPDX-License-Identifier: MIT
 * The two ends of a channel between processes, and the transaction that is under way between them. Buffers arrive here
 * as checked kernel addresses (direct map); no user pointer is ever seen.
 *
 * Everything about the request lives in the handler end, on the handler's CPU; who waits for the response lives in the
 * initiator end, on its own CPU. On one CPU both are touched freely. Across CPUs (endpoint_remote.c) each side changes
 * only its own end and sends messages, and one atomic word in the initiator end, `claim`, decides between response,
 * deadline and death. Legend: [I] fixed after boot, [o] home CPU only, [a] atomic. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "ipc/object.h"

/* What the handler knows of the request under way. A request may be withdrawn (deadline, death of the initiator) after
 * it was read, and the next one arrive before the handler answers. So that it cannot mix the two, only a request that
 * was read can be answered, and after a withdrawal its next read or respond is UNAVAILABLE, once. Waiting for a request
 * forgets the old one. */
enum endpoint_reading { READING_NOT_BEGUN, READING_BEGUN, READING_WITHDRAWN };

struct endpoint {
    struct object object;
    struct endpoint *local_peer; /* [o] the other end if it is alive and on this CPU, else &endpoint_nobody */
    struct endpoint *peer;       /* [I] */
    struct thread *caller;       /* [o] initiator: blocked in its transaction */
    const char *request;         /* [o] handler: what was asked, while READABLE. Initiator: a request held back (see
                                    `unacknowledged`) */
    uint64_t request_bytes;      /* [o] */
    char *response;              /* [o] where the answer goes */
    uint64_t response_room;      /* [o] bytes there */
    uint8_t reading;             /* [o] handler: enum endpoint_reading */
    bool remote;                 /* [I] the peer lives on another CPU */
    bool dead;                   /* [o] the peer's process is gone */
    bool unacknowledged;         /* [o] remote initiator: a cancellation is under way; `held` waits for its echo */
    bool held;                   /* [o] */
    uint8_t caller_priority;     /* [o] handler, remote: how urgent the answer is */
    uint32_t generation;         /* [o] remote: number of the transaction, both sides */
    uint32_t claim;              /* [a] remote, initiator's: generation << 2 | enum endpoint_claim */
};

/* Stands for a peer that cannot be reached directly: nobody ever waits on it, so the fast path needs no further test.
 */
extern struct endpoint endpoint_nobody;

/* Sends `n` bytes, waits for the response, at most `room` bytes into `receive`. OK with its length; UNAVAILABLE if the
 * handler is gone, dies meanwhile, or a transaction is under way already; DEADLINE_EXCEEDED. Blocks. */
struct result endpoint_transact(struct endpoint *e, const char *send, uint64_t n, char *receive, uint64_t room,
                                uint64_t deadline_ns);

/* Copies up to `n` bytes of the pending request from `offset`. OK with the number; UNAVAILABLE with nothing pending, or
 * once after the one that was read has been withdrawn; OUT_OF_RANGE past the request's end. May be repeated. */
struct result endpoint_read(struct endpoint *h, uint64_t offset, char *buffer, uint64_t n);

/* Answers the pending request. UNAVAILABLE if none is pending that was read, or if the one that was read has been
 * withdrawn; OUT_OF_RANGE if it does not fit, and it stays pending. */
struct result endpoint_respond(struct endpoint *h, const char *response, uint64_t n);

/* Answers if `response` is not NULL, waits for the next request, copies up to `room` of it; OK with the request's whole
 * length. Errors as endpoint_respond (and nothing has happened then), DEADLINE_EXCEEDED. Blocks. */
struct result endpoint_respond_and_wait(struct endpoint *h, const char *response, uint64_t n, char *buffer,
                                        uint64_t room, uint64_t deadline_ns);

/* Handler end: nobody wants the answer to the pending request any more. */
void endpoint_withdraw(struct endpoint *h);

/* The waiter `t` (THREAD_WAIT_REQUEST) takes the request that is pending on `h`: copies it and sets its result. False
 * if a remote initiator gave up meanwhile: what was copied is worthless, and `t` waits on. */
bool endpoint_deliver(struct endpoint *h, struct thread *t);

/* The transaction in which `t` is blocked passed its deadline. */
void endpoint_expire(struct thread *t);

/* The process of this end stops: the peer learns of it now. */
void endpoint_stop(struct endpoint *e);

/* Ends the transaction of initiator `e` with `result`; its caller is returned, off every list, not yet ready. */
struct thread *endpoint_complete(struct endpoint *e, struct result result);
