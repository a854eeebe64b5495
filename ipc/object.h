/* SPDX-License-Identifier: MIT
 * The head of every kernel object: its type, its signals, and who waits for them. Signals are level-type bits; a wait
 * clears nothing. Only the home CPU of the owning process touches an object; other CPUs send it a message.
 *
 *   object     signal      raised                                           lowered
 *   initiator  WRITEABLE   at creation; when a transaction ends in any way  transaction start
 *   initiator  ERROR       the handler's process died                       never
 *   handler    READABLE    a request arrived                                response, deadline, death of the initiator
 *   handler    ERROR       the initiator's process died                     never
 *
 * Legend: [I] fixed after boot, [o] home CPU only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sched/sched.h"
#include "sys/abi/image.h"
#include "sys/abi/signals.h"

struct object {
    struct thread *waiters;  /* [o] THREAD_WAIT_SIGNALS or _REQUEST, oldest first */
    uint32_t signals;        /* [o] active now */
    uint16_t type;           /* [I] enum image_object_type */
    uint16_t cpu;            /* [I] home */
    struct process *process; /* [I] owner */
};

/* Waits until one of `mask` is active; gives all active signals. INVALID_ARGUMENT for an empty or invalid mask,
 * UNIMPLEMENTED for an object that has none, DEADLINE_EXCEEDED at or after `deadline_ns`; a past deadline polls.
 * Blocks. */
struct result object_wait_general(struct object *o, uint32_t mask, uint64_t deadline_ns);

/* Inline: a signal is active; or the thread is the first to wait and its deadline needs no look at the clock. */
static inline __attribute__((always_inline)) struct result object_wait(struct object *o, uint32_t mask,
                                                                       uint64_t deadline_ns)
{
    if ((o->signals & mask) && !(mask & ~SIGNAL_VALID))
        return result_ok(o->signals);
    if (o->waiters || !timer_is_later(deadline_ns) || !mask || (mask & ~SIGNAL_VALID) ||
        o->type == IMAGE_OBJECT_HISTOGRAM)
        return object_wait_general(o, mask, deadline_ns);
    struct thread *t = sched_current();
    *t->deadline_ns = deadline_ns;
    t->mask = mask;
    t->state = THREAD_WAIT_SIGNALS;
    t->wait_object = o;
    o->waiters = t;
    sched_block();
}

/* Raises signals. Every matching waiter is woken: all but the first are made ready, the first is returned for the
 * caller to run or to make ready (NULL: nobody waited). A THREAD_WAIT_REQUEST waiter gets its request as well
 * (endpoint_deliver). */
struct thread *object_raise_waited(struct object *o, uint32_t signals);
static inline struct thread *object_raise(struct object *o, uint32_t signals)
{
    if (o->waiters)
        return object_raise_waited(o, signals);
    o->signals |= signals;
    return NULL;
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

/* Puts the current thread, whose state says what it waits for, behind the other waiters. */
void object_add_waiter(struct object *o, struct thread *t);
void object_remove_waiter(struct object *o, struct thread *t);
