/* SPDX-License-Identifier: MIT
 * What a CPU has of the router, and how a request ends. Legend: [o] this CPU only, [w] this CPU writes, all read,
 * [a] atomic.
 *
 * A request between CPUs, and its answer. The message is in one hand at a time; each arrow is a release met by an
 * acquire.
 *     sender's CPU                                  home CPU
 *   1 fill, append to its `requests`; ring   ->   2 take; send: call the handler; post: into the mailbox
 *                                                 3 outcome of a send: into the message's oneshot
 *   4 looks at the oneshot until it is there <-
 *                                                 3 outcome of a post: into the message, push on `answers`; ring
 *   5 takes all of `answers`, tells each     <-
 * No answer can be lost: neither the oneshot nor the list, which is made of the messages themselves, can be full. A
 * push that finds the list changed is tried again; the list is taken as a whole, so no push is fooled by a message that
 * left it and came again. pairs: router-answers. Between 3 and 4 the sender may have given up, its deadline passed:
 * then the oneshot keeps the outcome, and the message is busy until it is there. */
#pragma once
#include <arch/clock.h>
#include <arch/percpu.h>
#include "ipc/channel.h"
#include "ipc/router.h"
#include "ipc/wake.h"

#define ROUTER_REQUESTS 64 /* under way to a CPU */
#define ROUTER_STEP 8      /* of each kind of work done in one go, then other messages have their turn */

struct router_request {
    struct router_message *message;
};
CHANNEL_DEFINE(router_requests, struct router_request)

struct router_shard {
    struct router_module *modules[ROUTER_MODULES_MAX];   /* [o] that are at home here */
    uint64_t next_id;                                    /* [w] of a request; see ROUTER_ID_STEP */
    uint32_t nesting;                                    /* [o] handlers on the stack */
    bool running;                                        /* [o] in router_run, which looks again before it ends */
    uint32_t turn;                                       /* [o] the mailbox to look at first */
    uint64_t ready;                                      /* [o] mailboxes to be served, a bit for each module */
    struct router_message *in_hand;                      /* [o] of a mailbox, its handler is on the stack */
    struct router_message *untold, *untold_last;         /* [o] answers that were taken, oldest first */
    struct router_counts gone;                           /* [o] where modules count that are not registered any more */
    struct wake wake;                                    /* for requests, mailboxes and answers */
    struct channel requests;                             /* from other CPUs */
    _Alignas(CACHE_LINE) struct router_message *answers; /* [a] of other CPUs, newest first */
    _Alignas(CACHE_LINE) char slots[ROUTER_REQUESTS][CACHE_LINE];
};

extern struct router_shard router_shard; /* PERCPU */

_Static_assert(CPU_MAX <= ROUTER_ID_STEP, "each CPU has its own numbers");
_Static_assert(ROUTER_MODULES_MAX <= 64, "a bit for each module");
_Static_assert(STATUS_COUNT == sizeof(((struct router_counts *)0)->outcomes) / 8, "a count for each status");

/* The home of a module, as all CPUs see it; false: there is no such module. */
bool router_home(uint32_t id, uint32_t *cpu);

/* Appends to the requests of `cpu`, another one. */
enum status router_pass(uint32_t cpu, struct router_message *m);

/* The oldest request of another CPU, if there is one: true. A post is put into its mailbox, a send is served. */
bool router_take_request(struct router_shard *s);

/* Into the mailbox, or RESOURCE_EXHAUSTED. */
enum status router_mailbox_put(struct router_shard *s, struct router_module *module, struct router_message *m);

/* Ends all that it holds; the module is not registered any more. */
void router_mailbox_drop(struct router_shard *s, struct router_module *module);

/* The mailbox may have become one to be served, or one not to. */
void router_mailbox_update(struct router_shard *s, const struct router_module *module);

/* Requests, mailboxes, answers: a step of each. */
void router_run(struct wake *w);

/* What a handler says that is none: that of a send which cannot wait for later, or nonsense. */
enum status router_no_outcome(enum status said);

/* The outcome goes to the sender, and with it the message. Home CPU, not for a send on one CPU. */
void router_end(struct router_message *m, enum status outcome);

/* This CPU has put something into a mailbox or among the answers. */
static inline void router_ring_here(struct router_shard *s)
{
    if (!s->running)
        wake_ring_here(&s->wake);
}

static inline bool router_is_past(const struct router_message *m)
{
    return m->deadline_ns != UINT64_MAX && clock_now_ns() >= m->deadline_ns;
}

/* The handler has answered, `ticks` after the sending. */
static inline void router_count(struct router_counts *c, uint64_t ticks, enum status outcome)
{
    c->received++;
    c->outcomes[outcome]++;
    c->ticks += ticks;
    if (ticks > c->ticks_most)
        c->ticks_most = ticks;
}

/* The same with the time since the sending on any CPU, whose TSC may be a little ahead. */
static inline void router_count_answer(struct router_counts *c, const struct router_message *m, enum status outcome)
{
    uint64_t now = cpu_rdtsc();
    router_count(c, now > m->sent_tsc ? now - m->sent_tsc : 0, outcome);
}

static inline enum status router_call(struct router_module *module, struct router_message *m)
{
    this_cpu(router_shard).nesting++;
    enum status outcome = module->handle(module, m);
    this_cpu(router_shard).nesting--;
    if (__builtin_expect(outcome >= STATUS_COUNT, 0))
        outcome = router_no_outcome(outcome);
    return outcome;
}
