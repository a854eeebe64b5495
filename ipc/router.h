/* SPDX-License-Identifier: MIT
 * The message router: requests to modules that have a name, and their answers. A module has a home CPU, where it
 * registered and where its handler runs; requests may come from any CPU.
 *
 *   router_send, same CPU    a call of the handler, there and then
 *   router_send, other CPU   the same when that CPU looks at its requests. This one waits for the answer, and serves
 *                            meanwhile what is sent to its own modules: two CPUs that ask each other go on.
 *   router_post              into the mailbox, on either CPU; `done` is called with the answer on the sender's CPU,
 *                            never inside router_post
 *   router_broadcast         as router_send to every module in the order of their ids, one after the other
 *
 * A mailbox holds ROUTER_MAILBOX requests that were posted. They are served by priority, first in, first out within
 * one, a bounded number at a time: other messages of the CPU have their turn in between. What is sent passes them by. A
 * request that has not begun by its deadline is answered DEADLINE_EXCEEDED when its turn comes, and UNAVAILABLE if its
 * module has gone: whatever was accepted is answered once.
 *
 * A handler may call the router freely: send, post, register, unregister others or itself. It returns the outcome, and
 * what it wrote with router_write is the answer's text. If the request was posted it may return ROUTER_LATER and call
 * router_answer some time, on its CPU: until then its mailbox waits.
 *
 * Who asks is set by the router, never by the sender. Storage of modules and messages is their owner's; a message is
 * the router's while it is busy. All with interrupts off, not in an NMI. Legend: [S] set by the sender before it sends,
 * [R] by the router; [M] by the module's owner before it registers; [o] home CPU only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ipc/name.h"
#include "ipc/oneshot.h"
#include "sys/abi/status.h"

#define ROUTER_MODULES_MAX 64 /* ids are below */
#define ROUTER_MAILBOX 64
#define ROUTER_TYPE_BYTES 32 /* with its NUL */
#define ROUTER_NESTING_MAX 8 /* handlers on one CPU's stack at a time; to send one more is RESOURCE_EXHAUSTED */
#define ROUTER_BROADCAST UINT32_MAX
#define ROUTER_LATER ((enum status) - 1) /* what a handler returns; never an outcome */

enum router_priority { ROUTER_LOW, ROUTER_NORMAL, ROUTER_HIGH, ROUTER_CRITICAL, ROUTER_PRIORITIES };
enum router_origin { FROM_KERNEL, FROM_MODULE, FROM_PROCESS, FROM_HOST };

struct router_from {
    uint32_t origin; /* enum router_origin */
    uint32_t number; /* of the module, or of the process */
};

ONESHOT_DEFINE(router_outcome, uint64_t) /* enum status */

struct router_message {
    char type[ROUTER_TYPE_BYTES];                                /* [S] what is asked, such as "get_stats" */
    const char *payload;                                         /* [S] may be NULL without bytes */
    size_t payload_bytes;                                        /* [S] */
    char *answer;                                                /* [S] room for the answer's text and a NUL */
    size_t room;                                                 /* [S] bytes there */
    uint64_t deadline_ns;                                        /* [S] since boot; UINT64_MAX: none */
    void (*done)(struct router_message *m, enum status outcome); /* [S] for router_post; the message is free again */
    void *context;                                               /* [S] */
    bool busy;                                                   /* [R] sender's CPU; ask router_is_busy */
    bool posted;                                                 /* [R] the handler may answer later */
    bool given_up;                                               /* [R] sent, and its deadline passed */
    bool answer_cut;                                             /* [R] it would have been more */
    uint32_t module;                                             /* [R] its id */
    size_t answer_bytes;                                         /* [R] how many it is, without the NUL */
    uint64_t id;                   /* [R] from 1; a broadcast's all have one; see router_sender_cpu */
    struct router_from from;       /* [R] */
    uint64_t sent_tsc;             /* [R] */
    uint8_t priority;              /* [S] enum router_priority; for router_post */
    struct router_message *next;   /* [R] in a mailbox, then in the queue of answers */
    struct router_outcome outcome; /* [R] of what was posted, or sent between CPUs */
};

/* The numbers of a CPU are its own, so that none is given twice and no two CPUs share a word. */
#define ROUTER_ID_STEP 64
static inline uint32_t router_sender_cpu(const struct router_message *m)
{
    return (uint32_t)(m->id - 1) % ROUTER_ID_STEP;
}

/* What became of a module's requests. Latency: from the sending to the answer. */
struct router_counts {
    uint64_t received;           /* the handler has seen them */
    uint64_t outcomes[17];       /* by enum status */
    uint64_t refused;            /* the mailbox was full */
    uint64_t expired, abandoned; /* waited until their deadline; until the module went */
    uint64_t ticks, ticks_most;  /* TSC, of all that the handler answered, and the longest */
    uint64_t waiting_most;       /* in the mailbox at a time */
};

struct router_module {
    const char *name;                                                              /* [M] see name_intern */
    uint32_t id;                                                                   /* [M] below ROUTER_MODULES_MAX */
    enum status (*handle)(struct router_module *module, struct router_message *m); /* [M] home CPU */
    void *context;                                                                 /* [M] */
    uint32_t cpu;                                                                  /* [R] home */
    bool registered;                                                               /* [R] [o] */
    uint32_t waiting;                                                              /* [o] in the mailbox */
    struct router_message *first[ROUTER_PRIORITIES], *last[ROUTER_PRIORITIES];     /* [o] the mailbox */
    struct router_message *serving; /* [o] of its mailbox: in hand, or put off */
    struct router_counts *counts;   /* [R] where this CPU counts for it; see router_counts_of */
};

/* The queue of requests that arrive on `cpu`. Boot CPU, before threads run. */
void router_create(uint32_t cpu);

/* On this CPU, which becomes its home. ALREADY_EXISTS: a module has the id, which is looked at first;
 * FAILED_PRECONDITION: one has the name; INVALID_ARGUMENT: id, name or handler is none; RESOURCE_EXHAUSTED: too many
 * names. */
enum status router_register(struct router_module *module);

/* The same on a CPU that does not run threads yet. Boot CPU. */
enum status router_register_at_boot(uint32_t cpu, struct router_module *module);

/* On its CPU; NOT_FOUND, also the second time. What waits in its mailbox is answered UNAVAILABLE, and so is the one
 * that it has put off. The storage is the owner's again when none of its handlers is under way. In its own handler: the
 * request in hand is still answered, as the handler says. */
enum status router_unregister(struct router_module *module);

/* The id of a module, or NOT_FOUND. Any CPU. */
enum status router_lookup(const char *name, size_t n, uint32_t *id);

/* The name, or NULL. Any CPU, roughly now. */
const char *router_module_name(uint32_t id);

/* Asks and waits. The outcome is the module's; or NOT_FOUND no such module; INVALID_ARGUMENT for ROUTER_BROADCAST,
 * which has a function of its own, and for a type without a NUL; FAILED_PRECONDITION the message is busy;
 * RESOURCE_EXHAUSTED the CPU's queue is full, or handlers are nested too deep; UNIMPLEMENTED the handler would answer
 * later, and only router_post can wait for that; UNAVAILABLE the module went meanwhile; DEADLINE_EXCEEDED: the module
 * may still be at it, and until it is done the message stays busy. `from`: who asks. */
enum status router_send(uint32_t id, struct router_message *m, struct router_from from);

/* Asks and goes on. OK: `done` will be called, once, later, on this CPU. Otherwise it will not: errors as above, or
 * RESOURCE_EXHAUSTED the mailbox is full (on another CPU that is an outcome), INVALID_ARGUMENT no such priority, or no
 * `done`. */
enum status router_post(uint32_t id, struct router_message *m, struct router_from from);

/* `each` is told of every module's outcome and may read the answer in `m` until it returns, but with
 * DEADLINE_EXCEEDED there is none. Gives how many were asked;
 * the sender's own module, if it is one, is among them. 0 for a message that is busy or has a type without a NUL. Once
 * the deadline has passed the rest are DEADLINE_EXCEEDED. */
uint32_t router_broadcast(struct router_message *m, struct router_from from,
                          void (*each)(void *context, uint32_t id, enum status outcome, const struct router_message *m),
                          void *context);

/* Ends the request that the module has put off by ROUTER_LATER; nothing if it has none any more. Its CPU. */
void router_answer(struct router_module *module, enum status outcome);

/* More text for the answer, as ksnprintf; what does not fit is cut. While the request is being served. */
void router_write(struct router_message *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same of bytes as they are. */
void router_write_bytes(struct router_message *m, const char *bytes, size_t n);

/* The message may not be touched. Sender's CPU. */
bool router_is_busy(const struct router_message *m);

/* Requests that were given a number since boot, on all CPUs; any CPU, roughly now. A broadcast counts as one. */
uint64_t router_messages_sent(void);

/* Counts of a module on any CPU since it registered, roughly now; NOT_FOUND. */
enum status router_counts_of(uint32_t id, struct router_counts *counts);

/* The modules and mailboxes of this CPU are in order. For tests. */
bool router_valid(void);
