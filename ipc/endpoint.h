/* SPDX-License-Identifier: MIT
 * The two ends of a channel between processes, and the transaction that is under way between them. Buffers arrive here
 * as checked kernel addresses (direct map); no user pointer is ever seen.
 *
 * Everything about the request lives in the handler end, on the handler's CPU; who waits for the response lives in the
 * initiator end, on its own CPU. On one CPU both are touched freely. Across CPUs (endpoint_remote.c) each side changes
 * only its own end and sends messages, and one atomic word in the initiator end, `claim`, decides between response,
 * deadline, cancellation and death. Legend: [I] fixed after boot, [o] home CPU only, [a] atomic. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "ipc/object.h"
#include "ipc/pieces.h"

struct wait_group;

/* What the handler knows of the request under way. A request may be withdrawn (deadline, death of the initiator) after
 * it was read, and the next one arrive before the handler answers. So that it cannot mix the two, only a request that
 * was read can be answered, and after a withdrawal its next read or respond is UNAVAILABLE, once. Waiting for a request
 * forgets the old one. READING_IN_PIECES comes on top: `request` is the struct parts with all buffers. */
enum endpoint_reading {
    READING_NOT_BEGUN = 0,
    READING_BEGUN = 1,
    READING_WITHDRAWN = 2,
    READING_IN_PIECES = 4,
    READING_TAKEN = 8, /* with BEGUN: the thread `taker` has it through a wait group */
};

/* An asynchronous transaction. */
enum endpoint_async {
    ASYNC_NONE,
    ASYNC_PENDING,
    ASYNC_DONE,
    ASYNC_ABANDONED, /* its thread has ended while the answer was being written */
    ASYNC_CANCELLED, /* the thread that cancels it is `caller`: it waits until the answer has been written */
};

/* A transaction's buffers in pieces. The handler's CPU reads them, until it answered or acknowledged a cancellation;
 * all transactions that are held back meanwhile, one after the other, use the other one of two. */
struct parts {
    struct pieces send, receive;
};

struct endpoint {
    struct object object;
    struct endpoint *local_peer; /* [o] the other end, or &endpoint_nobody (endpoint_meet) */
    struct endpoint *peer;       /* [I] */
    struct thread *caller;       /* [o] initiator: blocked in its transaction */
    const char *request;         /* [o] handler: what was asked, while READABLE. Initiator: a request held back (see
                                    `unacknowledged`) */
    uint64_t request_bytes;      /* [o] */
    char *response;              /* [o] where the answer goes */
    uint64_t response_room;      /* [o] bytes there */
    uint8_t reading;            /* [o] handler: enum endpoint_reading; initiator: READING_IN_PIECES of a held request */
    bool remote;                /* [I] the peer lives on another CPU */
    bool dead;                  /* [o] the peer's process is gone */
    bool unacknowledged;        /* [o] remote initiator: a cancellation is under way; `held` waits for its echo */
    bool held;                  /* [o] */
    uint8_t async;              /* [o] initiator: enum endpoint_async */
    uint8_t priority;           /* [o] remote: how urgent request and answer are */
    bool user;                  /* [o] USER as the peer set it */
    uint32_t generation;        /* [o] remote: number of the transaction, both sides */
    uint32_t claim;             /* [a] remote, initiator's: generation << 2 | enum endpoint_claim */
    uint32_t notified;          /* [o] bits that the peer notified with and nobody took yet */
    struct thread *taker;       /* [o] handler: READING_TAKEN */
    uint64_t mail;              /* [a] remote: USER and bits from the peer (endpoint_notify.c) */
    struct result async_result; /* [o] ASYNC_DONE */
    struct parts parts[2];      /* [o] initiator: READING_IN_PIECES */
    uint8_t part;               /* [o] which one the newest transaction that was not held back has, or may have */
};

/* Stands for a peer that cannot be reached directly: nobody ever waits on it, so the fast path needs no further test.
 */
extern struct endpoint endpoint_nobody;

/* Sends `n` bytes, waits for the response, at most `room` bytes into `receive`. OK with its length; UNAVAILABLE if the
 * handler is gone or dies meanwhile; FAILED_PRECONDITION if a transaction is under way already; CANCELLED;
 * DEADLINE_EXCEEDED. Blocks. */
struct result endpoint_transact(struct endpoint *e, const char *send, uint64_t n, char *receive, uint64_t room,
                                uint64_t deadline_ns);

/* The same with messages in pieces. */
struct result endpoint_transact_pieces(struct endpoint *e, const struct pieces *send, const struct pieces *receive,
                                       uint64_t deadline_ns);

/* Copies up to `n` bytes of the pending request from `offset`. OK with the number; UNAVAILABLE with nothing pending, or
 * once after the one that was read has been withdrawn; OUT_OF_RANGE past the request's end. May be repeated. */
struct result endpoint_read(struct endpoint *h, uint64_t offset, char *buffer, uint64_t n);
struct result endpoint_read_pieces(struct endpoint *h, uint64_t offset, const struct pieces *to);

/* Answers the pending request. UNAVAILABLE if none is pending that was read, or if the one that was read has been
 * withdrawn; OUT_OF_RANGE if it does not fit, and it stays pending. */
struct result endpoint_respond(struct endpoint *h, const char *response, uint64_t n);
struct result endpoint_respond_pieces(struct endpoint *h, const struct pieces *from);

/* Answers if `response` is not NULL, waits for the next request, copies up to `room` of it; OK with the request's whole
 * length. Errors as endpoint_respond (and nothing has happened then), DEADLINE_EXCEEDED. Blocks. */
struct result endpoint_respond_and_wait(struct endpoint *h, const char *response, uint64_t n, char *buffer,
                                        uint64_t room, uint64_t deadline_ns);

/* The same for the request that the current thread took last through the group: UNAVAILABLE if it took none, or that
 * one is not pending any more. See wait_group_take_request for the result. */
struct result endpoint_respond_and_wait_group(struct wait_group *g, const char *response, uint64_t n, char *buffer,
                                              uint64_t room, uint64_t deadline_ns);

/* The first half of that: OK, and *woken is the initiator's thread if it is on this CPU and waited, not ready yet. */
enum status endpoint_answer(struct endpoint *h, const char *response, uint64_t n, struct thread **woken);

/* endpoint_async.c. Starts a transaction and returns; buffers stay in use until it is over. Errors as of transact. */
struct result endpoint_async_transact(struct endpoint *e, const struct pieces *send, const struct pieces *receive);

/* Collects: OK with the response's length; FAILED_PRECONDITION it is not over yet; UNAVAILABLE there is none, or the
 * handler died. */
struct result endpoint_async_complete(struct endpoint *e);

/* Ends whatever is under way: an asynchronous transaction is gone when this returns, answered or not, and its buffers
 * are free; another thread's synchronous one gives CANCELLED. UNAVAILABLE: nothing is under way, or it is answered. May
 * block, briefly, while the other CPU finishes writing an answer. */
struct result endpoint_async_cancel(struct endpoint *e);

/* Of an initiator of the kernel, on its handler's CPU: starts a transaction; READABLE says that it is over, then the
 * second collects it, as endpoint_async_complete. Neither lets another thread run. */
void endpoint_kernel_start(struct endpoint *e, const char *send, uint64_t n, char *receive, uint64_t room);
struct result endpoint_kernel_collect(struct endpoint *e);

/* The thread that is blocked in a transaction of `e` ends: nobody waits any more. */
void endpoint_abandon(struct endpoint *e);

/* endpoint_notify.c. The peer's USER is on or off; the peer is notified with bits, which raise USER until it took them.
 * UNAVAILABLE: the peer's process is dead. */
struct result endpoint_set_peer_user(struct endpoint *e, bool on);
struct result endpoint_notify(struct endpoint *e, uint32_t bits);

/* Waits until bits are there and takes them all; OK with them. UNAVAILABLE: the peer died. Blocks. */
struct result endpoint_take(struct endpoint *e, uint64_t deadline_ns);

/* `t`, in THREAD_WAIT_TAKE, is woken: it gets its result; false if there is none. */
bool endpoint_take_for(struct endpoint *e, struct thread *t);

/* Handler end: nobody wants the answer to the pending request any more. */
void endpoint_withdraw(struct endpoint *h);

/* A request is pending that nobody has read. */
static inline bool endpoint_has_unread(const struct endpoint *h)
{
    return (h->object.signals & SIGNAL_READABLE) && !(h->reading & READING_BEGUN);
}

/* The waiter `t` (THREAD_WAIT_REQUEST) takes the request that is pending on `h`: copies it and sets its result. False
 * if a remote initiator gave up meanwhile: what was copied is worthless, and `t` waits on. */
bool endpoint_deliver(struct endpoint *h, struct thread *t);

/* The transaction in which `t` is blocked passed its deadline. */
void endpoint_expire(struct thread *t);

/* endpoint_life.c. The process of this end stops: the peer learns of it now, and nothing is written to its memory any
 * more once the peer's CPU has acknowledged that (process_quiet). The process starts again. */
void endpoint_stop(struct endpoint *e);
void endpoint_start(struct endpoint *e);

/* Ends the transaction of initiator `e` with `result`; its caller, or who waited for the end of an asynchronous one, is
 * returned, off every list, not yet ready; or NULL. */
struct thread *endpoint_complete(struct endpoint *e, struct result result);
