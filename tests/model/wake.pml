/* SPDX-License-Identifier: MIT
 * ipc/wake.h: two producers append to a queue, and who finds it not announced sends its consumer a message. The queue is
 * a channel: an item whose send has not ended holds back those behind it. Stores wait in their CPU's buffer
 * (store_buffer.h). Checked in every interleaving: one message is under way at most, and in the end no item is left in
 * the queue. OWN_CPU: the second producer is an interrupt or NMI on the consumer's CPU.
 * CONFIG: -DITEMS=3
 * CONFIG: -DITEMS=3 -DOWN_CPU
 * MUTANTS: PRODUCER_UNFENCED CONSUMER_UNFENCED CLEARED_AFTER_DRAINING COUNTED_BEFORE_CLEARED ANNOUNCED_IN_TWO_STEPS
 * MUTANTS: ANNOUNCED_BEFORE_APPENDED ALWAYS_SENT */
#define CPUS 3
#define LOCATIONS (ITEMS + 2)
#define DEPTH 4
#define ANNOUNCED ITEMS
#define MESSAGE (ITEMS + 1)
#include "store_buffer.h"

#define CONSUMER 2
#ifdef OWN_CPU
#define SECOND CONSUMER
#else
#define SECOND 1
#endif

byte tail, head;       /* claims are locked, and only the consumer has the head: neither ever waits in a buffer */
byte under_way, ended; /* not in the kernel: what the properties speak of */

/* channel_send: claim and publish. */
inline append()
{
    atomic { fence(cpu) -> position = tail; tail++ };
    store(cpu, position, 1)
}

inline announce()
{
#ifndef PRODUCER_UNFENCED
    fence(cpu);
#endif
#ifdef ALWAYS_SENT
    announced = false;
#else
    announced = is_set(cpu, ANNOUNCED);
#endif
    if
    :: announced
    :: else ->
#ifdef ANNOUNCED_IN_TWO_STEPS
        announced = is_set(cpu, ANNOUNCED);
        store(cpu, ANNOUNCED, 1);
#else
        atomic { fence(cpu) -> announced = memory[ANNOUNCED]; memory[ANNOUNCED] = 1 };
#endif
        if
#ifndef ALWAYS_SENT
        :: announced
#endif
        :: else ->
            d_step { under_way++; assert(under_way == 1) };
            store(cpu, MESSAGE, 1)
        fi
    fi
}

proctype producer(byte cpu, items)
{
    byte position;
    bool announced;
    do
    :: items > 0 ->
#ifdef ANNOUNCED_BEFORE_APPENDED
        announce();
        append();
#else
        append();
        announce();
#endif
        items--
    :: else -> break
    od;
    ended++
}

inline clear()
{
#ifdef CONSUMER_UNFENCED
    store(CONSUMER, ANNOUNCED, 0)
#else
    atomic { fence(CONSUMER) -> memory[ANNOUNCED] = 0 }
#endif
}

/* name_drain: no more than were claimed when it began. */
inline drain()
{
#ifndef COUNTED_BEFORE_CLEARED
    end_of_drain = tail;
#endif
    do
    :: head < end_of_drain && is_set(CONSUMER, head) -> head++
    :: else -> break
    od
}

proctype consumer()
{
    byte end_of_drain;
    do
    :: is_set(CONSUMER, MESSAGE) ->
        atomic { fence(CONSUMER) -> memory[MESSAGE] = 0; under_way-- };
#ifdef COUNTED_BEFORE_CLEARED
        end_of_drain = tail;
#endif
#ifdef CLEARED_AFTER_DRAINING
        drain();
        clear()
#else
        clear();
        drain()
#endif
    :: ended == 2 && !is_set(CONSUMER, MESSAGE) && empty(buffer[0]) && empty(buffer[1]) && empty(buffer[CONSUMER]) ->
        break
    od;
    assert(head == ITEMS && under_way == 0 && !memory[ANNOUNCED])
}

init
{
    atomic {
        start_buffers();
        run producer(0, ITEMS - 1);
        run producer(SECOND, 1);
        run consumer()
    }
}
