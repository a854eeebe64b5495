/* SPDX-License-Identifier: MIT
 * sched/inbox.c: senders publish a message and interrupt the owner if its level is not above the message's priority; the
 * owner says before it halts, or runs a thread, at which level, and looks once more. Stores wait in their CPU's buffer
 * (store_buffer.h), and a message whose send has not ended holds back those behind it. Checked in every interleaving:
 * when nothing more comes, no message is left that is at least as urgent as what the owner does.
 * CONFIG: -DMESSAGES=2 -DALONE
 * CONFIG: -DMESSAGES=2
 * MUTANTS: SENDER_UNFENCED OWNER_UNFENCED UNLOOKED LOOKED_BEFORE DOWN_UNLOOKED EQUAL_UNHEARD BEHIND_UNHEARD */
#define CPUS 3
#define LOCATIONS (MESSAGES + 1)
#define DEPTH 2
#define LEVEL MESSAGES
#include "store_buffer.h"

#define OWNER 2
#define HALTED 0 /* then the priorities of threads and messages: 1 and 2 */
#define POLLING 7
#ifdef ALONE
#define SENDERS 1
#else
#define SENDERS 2
#endif

byte tail, head;
byte urgency[MESSAGES]; /* of each message */
bool interrupted;       /* one is on its way to the owner */
byte ended;

#ifdef EQUAL_UNHEARD
#define HEARS(level) (level < urgent)
#else
#define HEARS(level) (level <= urgent)
#endif

proctype sender(byte cpu, messages)
{
    byte position, urgent, level, first;
    do
    :: messages > 0 ->
        if
        :: urgent = 1
        :: urgent = 2
        fi;
        atomic { fence(cpu) -> position = tail; tail++; urgency[position] = urgent };
        store(cpu, position, 1);
#ifndef SENDER_UNFENCED
        fence(cpu);
#endif
        level = memory[LEVEL];
        if
        :: HEARS(level) -> interrupted = true
#ifndef BEHIND_UNHEARD
        :: !HEARS(level) && level != POLLING ->
            first = head;
            if
            :: tail - first > 1 -> interrupted = true
            :: else
            fi
#endif
        :: else
        fi;
        d_step { messages--; position = 0; urgent = 0; level = 0; first = 0 }
    :: else -> break
    od;
    ended++
}

#define THERE (head < tail && is_set(OWNER, head))

inline look()
{
    if
    :: THERE -> interrupted = true
    :: else
    fi
}

/* inbox_set_level */
inline set_level(next)
{
#ifdef LOOKED_BEFORE
    if
    :: next < level -> look()
    :: else
    fi;
#endif
    store(OWNER, LEVEL, next);
    if
    :: next < level ->
#ifndef OWNER_UNFENCED
        fence(OWNER);
#endif
#ifndef UNLOOKED
#ifndef LOOKED_BEFORE
#ifdef DOWN_UNLOOKED
        if
        :: level == POLLING -> look()
        :: else
        fi
#else
        look()
#endif
#endif
#endif
        skip
    :: else
    fi;
    level = next
}

/* inbox_run: no more than were claimed when it began. */
inline run_inbox()
{
    end_of_run = tail;
    do
    :: head < end_of_run && is_set(OWNER, head) -> head++
    :: else -> break
    od;
    end_of_run = 0
}

inline choose()
{
    if
    :: next = HALTED
    :: next = 1
    :: next = 2
    fi
}

#define AT_REST (ended == SENDERS && empty(buffer[0]) && empty(buffer[1]) && empty(buffer[OWNER]) && !interrupted)

proctype owner()
{
    byte level = POLLING, next, end_of_run;
    do
    :: true ->
        run_inbox();
        choose();
        set_level(next);
        do
        :: interrupted -> interrupted = false; break
        :: level != HALTED -> choose(); set_level(next) /* from thread to thread, or to none */
        :: AT_REST -> goto rest
        od;
        store(OWNER, LEVEL, POLLING);
        level = POLLING
    od;
rest:
    do
    :: head < tail -> assert(urgency[head] < level); head++
    :: else -> break
    od
}

init
{
    atomic {
        memory[LEVEL] = POLLING;
        start_buffers();
#ifdef ALONE
        run sender(0, MESSAGES);
#else
        run sender(0, MESSAGES - 1);
        run sender(1, 1);
#endif
        run owner()
    }
}
