/* SPDX-License-Identifier: MIT
 * A oneshot: one value from a sender to a receiver, on any two CPUs and in any context, NMI included. ONESHOT_DEFINE
 * gives a type for the storage, which is the caller's, and type-checked wrappers over the one state word here. Of any
 * number of sends, also one in the middle of another, the first wins and the rest are refused at once; the receiver is
 * one CPU, or whoever it hands the duty to, never two at a time. Nothing is allocated and nothing ever waits. A send
 * that said OK is received, unless the receiver goes; after any other the caller still has the value. Deliberately
 * absent: blocking and waking; for the latter see channel.h.
 *
 * The storage lives as long as either side may come. A send that said OK is the sender's last call, a drop that said
 * false is that side's last; then the other has the storage alone as soon as a receive says OK or its drop true, and
 * may make it anew. If each side keeps to this, exactly one has it in the end.
 *
 * Cost: two locked instructions to send, none to receive; a value of up to 56 bytes lies on the line of its state.
 * Field letters: [a] atomic, any CPU. */
#pragma once
#include <arch/atomic.h>
#include <arch/cpu.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/abi/status.h"

/* The state only grows. The first two mean: a value may still come. */
enum oneshot_state {
    ONESHOT_EMPTY,        /* zeroed storage is a new oneshot */
    ONESHOT_SENDING,      /* the value is the winning sender's, to write */
    ONESHOT_FULL,         /* the value is the receiver's, to read */
    ONESHOT_TAKEN,        /* received, or the receiver went when it was full */
    ONESHOT_SENDER_GONE,  /* without having sent */
    ONESHOT_RECEIVER_GONE /* before anything was sent */
};

struct oneshot {
    uint32_t state; /* [a] enum oneshot_state */
};

/* Send and receive: the value and the news of it are one store, so nothing is ever seen between "not yet" and "there".
 *     CPU 0, send                          CPU 1, receive
 *   1 cmpxchg state: EMPTY -> SENDING    4 load state
 *   2 write value                        5 if FULL: read value
 *   3 cmpxchg state: SENDING -> FULL     6 state = TAKEN
 *   4 before 3: not yet. 3 before 4: 4 finds FULL, whatever the sender does afterwards, for its drop changes only
 * EMPTY; 3 -> 4 carries the value (oneshot-publish). Another send, between any of these, fails at 1 and has touched
 * nothing.
 *
 * Send and the receiver's drop, drop and drop: all change the state from what they saw of it, so one is first.
 *     CPU 0, send or sender's drop         CPU 1, receiver's drop
 *   1 cmpxchg: EMPTY -> SENDING          4 load state; while it is EMPTY or SENDING:
 *   2 cmpxchg: SENDING -> FULL           5   cmpxchg: that -> RECEIVER_GONE
 *   3 or cmpxchg: EMPTY -> SENDER_GONE   6 if FULL: state = TAKEN
 *   2 or 3 before 5: 5 fails, the receiver is told true: what CPU 0 did to the storage came before (oneshot-publish,
 *   oneshot-gone). 5 before 1, 2 or 3: that one fails, and the sender is told so; what the receiver did came before
 *   (oneshot-gone). 5 fails twice at most, as the state only grows. From FULL on the receiver alone changes the state.
 */
static inline bool oneshot_claim(struct oneshot *o)
{
    uint32_t seen = ONESHOT_EMPTY;
    return cmpxchg_acqrel(&o->state, &seen, ONESHOT_SENDING); /* pairs: oneshot-gone */
}

/* The value is written: OK, or CANCELLED because the receiver has gone since the claim. */
static inline enum status oneshot_publish(struct oneshot *o)
{
    uint32_t seen = ONESHOT_SENDING;
    bool published = cmpxchg_acqrel(&o->state, &seen, ONESHOT_FULL); /* pairs: oneshot-publish oneshot-gone */
    return published ? STATUS_OK : STATUS_CANCELLED;
}

/* OK: the value is there, to be read before oneshot_taken. Otherwise as name_try_recv says it. Receiver only. */
static inline enum status oneshot_look(const struct oneshot *o)
{
    uint32_t state = load_acquire(&o->state); /* pairs: oneshot-publish oneshot-gone */
    if (__builtin_expect(state == ONESHOT_FULL, 1)) {
        return STATUS_OK;
    }
    return state < ONESHOT_FULL ? STATUS_UNAVAILABLE : STATUS_CANCELLED;
}

/* Relaxed: who writes the value next is the receiver, or hears of the storage from it. */
static inline void oneshot_taken(struct oneshot *o)
{
    store_relaxed(&o->state, ONESHOT_TAKEN);
}

/* Makes a new oneshot of the storage. Nobody else may know it, or know it any more: see above. */
static inline void oneshot_reset(struct oneshot *o)
{
    store_relaxed(&o->state, ONESHOT_EMPTY);
}

/* A value is there and has not been taken. Any CPU and context. */
static inline bool oneshot_is_ready(const struct oneshot *o)
{
    return load_acquire(&o->state) == ONESHOT_FULL; /* pairs: oneshot-publish */
}

/* No send from here on; a value that was sent stays. True if the receiver went before: then the storage is the
 * sender's alone. May be repeated, and says the same. The sender's side, whose sends are over; any context. */
static inline bool oneshot_sender_drop(struct oneshot *o)
{
    uint32_t seen = ONESHOT_EMPTY;
    (void)cmpxchg_acqrel(&o->state, &seen, ONESHOT_SENDER_GONE); /* pairs: oneshot-gone */
    return seen == ONESHOT_RECEIVER_GONE;
}

/* No receive from here on; a value that is there is given up. True if the sender had sent or gone before: then the
 * storage is the receiver's alone. May be repeated, and says the same. Receiver only; any context. */
static inline bool oneshot_receiver_drop(struct oneshot *o)
{
    uint32_t state = load_acquire(&o->state); /* pairs: oneshot-publish oneshot-gone */
    while (state < ONESHOT_FULL) {
        if (cmpxchg_acqrel(&o->state, &state, ONESHOT_RECEIVER_GONE)) { /* pairs: oneshot-publish oneshot-gone */
            return false;
        }
    }
    if (state == ONESHOT_FULL) {
        oneshot_taken(o);
    }
    return state != ONESHOT_RECEIVER_GONE;
}

/* The invariant of a oneshot at rest: no send is under way. For tests and teardown. */
static inline bool oneshot_valid(const struct oneshot *o)
{
    uint32_t state = load_relaxed(&o->state);
    return state <= ONESHOT_RECEIVER_GONE && state != ONESHOT_SENDING;
}

/* struct name, the storage for one value of `type`, from the start of a cache line, and:
 *   name_init      makes a new oneshot of it, as oneshot_reset does
 *   name_send      copies the value in. OK, or CANCELLED: the receiver or the sender has gone, or another send came
 *                  first, and the caller keeps the value. Any CPU and context.
 *   name_try_recv  copies the value out. OK, once; UNAVAILABLE: not yet; CANCELLED: never, as it was taken or a side
 *                  has gone. *value is written only with OK. Receiver only; any context.
 * What goes by the state alone takes &o->oneshot: oneshot_is_ready, the drops, oneshot_valid. */
#define ONESHOT_DEFINE(name, type)                                                                                     \
    struct name {                                                                                                      \
        _Alignas(CACHE_LINE) struct oneshot oneshot;                                                                   \
        type value; /* the winning sender's until FULL, then the receiver's */                                         \
    };                                                                                                                 \
    _Static_assert(offsetof(struct name, value) + sizeof(type) <= CACHE_LINE || sizeof(type) > CACHE_LINE - 8,         \
                   "56 bytes of value share the line of their state");                                                 \
    [[maybe_unused]] static inline void name##_init(struct name *o)                                                    \
    {                                                                                                                  \
        oneshot_reset(&o->oneshot);                                                                                    \
    }                                                                                                                  \
    [[maybe_unused]] static inline enum status name##_send(struct name *o, const type *value)                          \
    {                                                                                                                  \
        if (__builtin_expect(!oneshot_claim(&o->oneshot), 0)) {                                                        \
            return STATUS_CANCELLED;                                                                                   \
        }                                                                                                              \
        o->value = *value;                                                                                             \
        return oneshot_publish(&o->oneshot);                                                                           \
    }                                                                                                                  \
    [[maybe_unused]] static inline enum status name##_try_recv(struct name *o, type *value)                            \
    {                                                                                                                  \
        enum status status = oneshot_look(&o->oneshot);                                                                \
        if (__builtin_expect(status == STATUS_OK, 1)) {                                                                \
            *value = o->value;                                                                                         \
            oneshot_taken(&o->oneshot);                                                                                \
        }                                                                                                              \
        return status;                                                                                                 \
    }
