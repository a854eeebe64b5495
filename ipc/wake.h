/* SPDX-License-Identifier: MIT
 * How a CPU learns that something was appended to a queue which it empties: one message to its inbox, however much is
 * appended before it looks. The queue is the owner's affair, usually a kernel channel.
 *
 *   producer, any CPU                     consumer, its CPU
 *   (1) append (release)                  (4) announced = false, by an exchange
 *   (2) full fence                        (5) empty the queue
 *   (3) announced? if not: announced = true by an exchange; was it false, send the message
 *
 * A producer that sees `announced` set in (3) did so before (4) in the order of that word; since its (2) came before,
 * (5) sees its item. One that comes after (4) finds it clear and sends a message of its own. The exchange lets one of
 * several producers send: never more than one message is under way for a wake. A model is in tests/model/wake.pml.
 * pairs: wake-announce. Legend: [I] fixed after init, [a] atomic. */
#pragma once
#include <arch/atomic.h>
#include <arch/cpu.h>
#include <stdint.h>

struct wake {
    _Alignas(CACHE_LINE) uint32_t announced; /* [a] a message is on its way */
    uint32_t cpu;                            /* [I] the consumer's */
    uint8_t priority;                        /* [I] of the thread there that may be interrupted for it */
    void (*run)(struct wake *w);             /* [I] empties the queue, or part of it and rings again; may not block */
};

/* Before anybody rings; the inbox of `cpu` must exist by then. `priority`: as of inbox_send. */
static inline void wake_init(struct wake *w, uint32_t cpu, uint8_t priority, void (*run)(struct wake *w))
{
    *w = (struct wake){.cpu = cpu, .priority = priority, .run = run};
}

/* (3). Any CPU, interrupts off; not in an NMI, which may have come in the middle of an IPI being sent. */
void wake_ring_now(struct wake *w);

/* Something was appended: (2) and (3). */
static inline void wake_ring(struct wake *w)
{
    fence_full(); /* pairs: wake-announce */
    if (!load_relaxed(&w->announced))
        wake_ring_now(w);
}

/* The same on the consumer's own CPU, where (1) and (5) cannot be at the same time: no fence. */
static inline void wake_ring_here(struct wake *w)
{
    if (__builtin_expect(word_is_zero(&w->announced), 0))
        wake_ring_now(w);
}
