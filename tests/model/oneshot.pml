/* SPDX-License-Identifier: MIT
 * ipc/oneshot.h: send, receive and the drops of both sides, in one storage that whoever has it in the end makes anew for
 * the next life. Each access to the state or half of the value is one step; what an interrupt does in the middle of
 * another call is among the interleavings. LATE_DROP: a sender drops after a send that was accepted, the storage is not
 * used again. CONTEND: two senders that send only. Checked in every interleaving: what is accepted arrives, whole and
 * once, unless the receiver goes; a receiver hears "never" only if nothing was accepted, and does not wait for ever; one
 * send is accepted at most; nobody touches the storage after its last call; exactly one side has it in the end.
 * CONFIG: -DLIVES=3
 * CONFIG: -DLIVES=1 -DLATE_DROP
 * CONFIG: -DLIVES=1 -DCONTEND
 * MUTANTS: PUBLISH_BEFORE_WRITE PUBLISH_OVERWRITES PUBLISH_IN_TWO_STEPS SENDING_IS_CLOSED SENDER_DROP_IN_TWO_STEPS
 * MUTANTS: RECEIVER_DROP_OVERWRITES RECEIVER_DROP_IN_TWO_STEPS RECEIVER_DROP_ONCE FULL_DROPPED_IS_FALSE GONE_IS_FALSE
 * MUTANTS -DLATE_DROP: SENDER_DROP_OVERWRITES FULL_DROPPED_IS_GONE
 * MUTANTS -DCONTEND: UNCLAIMED CLAIM_IN_TWO_STEPS */
#define EMPTY 0
#define SENDING 1
#define FULL 2
#define TAKEN 3
#define SENDER_GONE 4
#define RECEIVER_GONE 5
#define UNWRITTEN 255

#ifdef CONTEND
#define SENDERS 2
#else
#define SENDERS 1
#endif

byte state = EMPTY;
byte value[2] = UNWRITTEN;

/* Not in the kernel: what the properties speak of, and how the sides hear of the next life. */
byte life, had; /* `had`: sides that had the storage in the end, of all lives */
byte accepted, received, senders_done;
bool said_never;

/* Each access is of a side that has not had its last call in this life. */
#define MINE assert(life == n)
#define accept() assert(!accepted && !said_never); accepted = mark

/* cmpxchg: `seen` is what was found. */
inline exchange(from, to)
{
    atomic { MINE; seen = state; if :: seen == from -> state = to :: else fi }
}

/* The same in two steps: a planted bug. */
inline exchange_late(from, to)
{
    atomic { MINE; seen = state };
    if
    :: seen == from -> atomic { MINE; state = to }
    :: else
    fi
}

/* The storage is this side's alone. */
inline renew()
{
    d_step { MINE; had++; assert(had == n + 1) };
#ifndef LATE_DROP
#ifndef CONTEND
    value[0] = UNWRITTEN;
    value[1] = UNWRITTEN;
    state = EMPTY;
    d_step { accepted = 0; received = 0; said_never = false; life++ }
#endif
#endif
    skip
}

inline write_value()
{
    atomic { MINE; value[0] = mark };
    atomic { MINE; value[1] = mark }
}

#ifdef PUBLISH_OVERWRITES
#define MAY_PUBLISH true
#else
#ifdef UNCLAIMED
#define MAY_PUBLISH (seen == EMPTY)
#else
#define MAY_PUBLISH (seen == SENDING)
#endif
#endif

inline publish()
{
#ifdef PUBLISH_IN_TWO_STEPS
    atomic { MINE; seen = state };
#endif
    atomic {
        MINE;
#ifndef PUBLISH_IN_TWO_STEPS
        seen = state;
#endif
        ok = MAY_PUBLISH;
        if
        :: ok -> state = FULL; accept()
        :: else
        fi
    }
}

inline send()
{
#ifdef UNCLAIMED
    atomic { MINE; seen = state };
#else
#ifdef CLAIM_IN_TWO_STEPS
    exchange_late(EMPTY, SENDING);
#else
    exchange(EMPTY, SENDING);
#endif
#endif
    if
    :: seen != EMPTY
    :: else ->
#ifdef PUBLISH_BEFORE_WRITE
        publish();
        write_value()
#else
        write_value();
        publish()
#endif
    fi
}

inline sender_drop()
{
#ifdef SENDER_DROP_OVERWRITES
    atomic { MINE; seen = state; state = SENDER_GONE };
#else
#ifdef SENDER_DROP_IN_TWO_STEPS
    exchange_late(EMPTY, SENDER_GONE);
#else
    exchange(EMPTY, SENDER_GONE);
#endif
#endif
#ifdef GONE_IS_FALSE
    mine = false
#else
    mine = (seen == RECEIVER_GONE)
#endif
}

proctype sender(byte id)
{
    byte n = 0, seen, mark;
    bool ok, mine;
    do
    :: n == LIVES -> break
    :: n < LIVES ->
        life >= n;
        mark = n * 16 + id + 1;
        ok = false;
        if
        :: send()
#ifndef CONTEND
        :: skip
#endif
        fi;
        mine = false;
        if
#ifndef CONTEND
        :: !ok -> sender_drop()
#endif
#ifdef LATE_DROP
        :: ok -> sender_drop(); assert(!mine)
#endif
        :: else
        fi;
        if
        :: mine -> renew()
        :: else
        fi;
        n++
    od;
    senders_done++
}

inline receiver_drop()
{
    atomic { MINE; seen = state };
    do
    :: seen < FULL ->
        was = seen;
#ifdef RECEIVER_DROP_OVERWRITES
        atomic { MINE; state = RECEIVER_GONE };
#else
#ifdef RECEIVER_DROP_IN_TWO_STEPS
        exchange_late(was, RECEIVER_GONE);
#else
        exchange(was, RECEIVER_GONE);
#endif
#endif
        if
        :: seen == was -> seen = RECEIVER_GONE; break
#ifdef RECEIVER_DROP_ONCE
        :: else -> break
#else
        :: else
#endif
        fi
    :: seen == FULL ->
#ifdef FULL_DROPPED_IS_GONE
        atomic { MINE; state = RECEIVER_GONE };
#else
        atomic { MINE; state = TAKEN };
#endif
        break
    :: seen > FULL -> break
    od;
#ifdef FULL_DROPPED_IS_FALSE
    mine = (seen != RECEIVER_GONE && seen != FULL)
#else
    mine = (seen != RECEIVER_GONE)
#endif
}

inline receive()
{
    first = value[0];
    d_step { second = value[1]; assert(first == accepted && second == accepted && !received); received = first };
    d_step { first = 0; second = 0 };
    atomic { MINE; state = TAKEN };
    mine = true
}

#ifdef SENDING_IS_CLOSED
#define IS_CLOSED (seen > FULL || seen == SENDING)
#else
#define IS_CLOSED (seen > FULL)
#endif

/* Looks at the state at some moment; if nothing is there, waits for another state, or gives up. */
proctype receiver()
{
    byte n = 0, seen, was, first, second;
    bool mine;
    do
    :: n == LIVES -> break
    :: n < LIVES ->
        life >= n;
        do
        :: true ->
            atomic { MINE; seen = state };
            if
            :: IS_CLOSED -> d_step { assert(!accepted); said_never = true }; receiver_drop(); break
            :: seen == FULL -> receive(); break
            :: else -> (state != seen)
            fi
        :: true -> receiver_drop(); break
        od;
        if
        :: mine -> renew()
        :: else
        fi;
        n++
    od;
    senders_done == SENDERS;
    assert(had == LIVES || SENDERS == 2)
}

init
{
    byte i = 0;
    atomic {
        do
        :: i < SENDERS -> run sender(i); i++
        :: else -> break
        od;
        run receiver()
    }
}
