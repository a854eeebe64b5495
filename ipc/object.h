/* SPDX-License-Identifier: MIT
 * The head of every kernel object: its type, its signals, and who waits for them. Signals are level-type bits; a wait
 * clears nothing. sys/abi/signals.h is the table of who raises and lowers what. Only the home CPU of the owning process
 * touches an object; other CPUs send it a message. Legend: [I] fixed after boot, [o] home CPU only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sched/sched.h"
#include "sys/abi/image.h"
#include "sys/abi/signals.h"

struct member;

struct object {
    struct waiter *waiters;  /* [o] threads, and the wait group it is in; oldest first */
    uint32_t signals;        /* [o] active now */
    uint16_t type;           /* [I] enum image_object_type */
    uint16_t cpu;            /* [I] home */
    struct process *process; /* [I] owner */
    struct member *member;   /* [I] its place in a wait group (ipc/wait_group.h) */
    uint32_t waitable;       /* [I] SIGNAL_VALID; 0 for a type without signals, or whose wait is its own */
};

/* Stands on the list of an object for good, like a wait group's member: told when a signal of its mask is raised. */
struct kernel_waiter {
    struct waiter waiter;
    void (*tell)(struct kernel_waiter *w); /* may lower signals of the object */
};

/* Waits until one of `mask` is active; gives all active signals, and for a wait group the user data of a member.
 * INVALID_ARGUMENT for an empty or invalid mask, and for a group without members; UNIMPLEMENTED for an object that has
 * no signals; DEADLINE_EXCEEDED at or after `deadline_ns`; a past deadline polls. Blocks. */
struct result object_wait_general(struct object *o, uint32_t mask, uint64_t deadline_ns);

/* Inline: a signal is active; or the thread is the first to wait and its deadline needs no look at the clock. */
static inline __attribute__((always_inline)) struct result object_wait(struct object *o, uint32_t mask,
                                                                       uint64_t deadline_ns)
{
    if ((o->signals & mask) && !(mask & ~o->waitable))
        return result_signals(o->signals, 0);
    if (o->waiters || !timer_is_later(deadline_ns) || !mask || (mask & ~o->waitable))
        return object_wait_general(o, mask, deadline_ns);
    struct thread *t = sched_current();
    *t->deadline_ns = deadline_ns;
    t->waiter.mask = mask;
    t->waiter.state = THREAD_WAIT_SIGNALS;
    t->wait_object = o;
    o->waiters = &t->waiter;
    sched_block();
}

/* The current thread waits for `mask` of `o` in `state`: the general way to block. DEADLINE_EXCEEDED if that is past
 * already; otherwise it does not return. `woken` was woken meanwhile and is not ready yet, or NULL. */
struct result object_block(struct object *o, enum thread_state state, uint32_t mask, uint64_t deadline_ns,
                           struct thread *woken);

/* Raises signals. Every matching waiter is woken: all but the first are made ready, the first is returned for the
 * caller to run or to make ready (NULL: nobody waited). A THREAD_WAIT_REQUEST waiter gets its request as well
 * (endpoint_deliver). */
struct thread *object_raise_waited(struct object *o, uint32_t signals);

/* Inline: nobody waits, or one thread for signals of which this is one. */
static inline struct thread *object_raise(struct object *o, uint32_t signals)
{
    struct waiter *w = o->waiters;
    if (w && (w->next || w->state != THREAD_WAIT_SIGNALS || !(w->mask & signals)))
        return object_raise_waited(o, signals);
    o->signals |= signals;
    if (!w)
        return NULL;
    struct thread *t = thread_of_waiter(w);
    o->waiters = NULL;
    t->result = result_signals(o->signals, 0);
    timer_deadline_clear(t);
    return t;
}

/* As object_raise, and the first waiter is made ready too. */
static inline void object_raise_ready(struct object *o, uint32_t signals)
{
    struct thread *first = object_raise(o, signals);
    if (first)
        sched_ready(first);
}

static inline void object_lower(struct object *o, uint32_t signals)
{
    o->signals &= ~signals;
}

/* Puts an entry behind the other waiters; takes one out that is there. */
void object_add_waiter(struct object *o, struct waiter *w);
void object_remove_waiter(struct object *o, struct waiter *w);

/* Takes a thread that is blocked on an object off it: it waits no more. */
static inline void object_stop_waiting(struct thread *t)
{
    object_remove_waiter(t->wait_object, &t->waiter);
}
