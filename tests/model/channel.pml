/* SPDX-License-Identifier: MIT
 * ipc/channel.h: claim, publish, receive, grant and close with two producers, a consumer, and somebody who may
 * close. Each access to a shared word is one step. Checked in every interleaving: nothing accepted is lost, nothing
 * comes twice or out of its producer's order, no more than the capacity is out, nothing is accepted after or received
 * past Closed, no deadlock. Sequential consistency only: the acquire and release pairs are argued in channel.h.
 * CONFIG: -DCAPACITY=1 -DSLOTS=1 -DITEMS=3
 * CONFIG: -DCAPACITY=2 -DSLOTS=2 -DITEMS=3
 * CONFIG: -DCAPACITY=3 -DSLOTS=4 -DITEMS=3
 * MUTANTS: PUBLISH_BEFORE_WRITE GRANT_BEFORE_READ CLAIM_IN_TWO_STEPS CLOSE_BESIDE_TAIL
 * MUTANTS: CLOSED_WITHOUT_TAIL GRANT_BY_SLOTS NEVER_MARKED LAST_DROP_FORGETS */
#define SLOT(word) ((word / 2) % SLOTS) /* a position counts in steps of 2, bit 0 is CHANNEL_MARK */
#define UNWRITTEN 255

#ifdef GRANT_BY_SLOTS
#define GRANT(head) (head + 2 * SLOTS - 1)
#else
#define GRANT(head) (head + 2 * CAPACITY - 1)
#endif

#ifdef CLOSE_BESIDE_TAIL
bool beside;
#define IS_CLOSED(seen) beside
#define MARK_TAIL beside = true
#define DRAINED (beside && tail == head - 1)
#else
#define IS_CLOSED(seen) (seen & 1)
#ifdef NEVER_MARKED
#define MARK_TAIL skip
#else
#define MARK_TAIL tail = tail | 1
#endif
#ifdef CLOSED_WITHOUT_TAIL
#define DRAINED (tail & 1)
#else
#define DRAINED (tail == head)
#endif
#endif

short tail = 0, head = 1;
short sequence[SLOTS];
byte item[SLOTS] = UNWRITTEN;
bool closing = false;
byte senders = 2, ended = 0;
byte accepted[2], received[2]; /* not in the kernel: what the properties speak of */

inline close()
{
    closing = true;
    MARK_TAIL
}

proctype producer(byte id)
{
    byte n = 0, left;
    short t, s;
attempt:
    if
    :: n == ITEMS -> goto drop
    :: else
    fi;
    t = tail;
    if
    :: IS_CLOSED(t) -> goto drop
    :: else
    fi;
    s = sequence[SLOT(t)];
    if
    :: s > t -> goto attempt
    :: s < t -> (sequence[SLOT(t)] >= t || IS_CLOSED(tail)); goto attempt /* full: the caller tries again */
    :: s == t
    fi;
#ifdef CLAIM_IN_TWO_STEPS
    tail = t + 2;
    accepted[id]++;
#else
    atomic {
        if
        :: tail == t -> tail = t + 2; accepted[id]++; assert(tail / 2 - head / 2 <= CAPACITY)
        :: else -> goto attempt
        fi
    };
#endif
#ifdef PUBLISH_BEFORE_WRITE
    sequence[SLOT(t)] = t + 1;
    item[SLOT(t)] = id * 16 + n;
#else
    item[SLOT(t)] = id * 16 + n;
    sequence[SLOT(t)] = t + 1;
#endif
    n++;
    goto attempt;
drop:
    assert(n == accepted[id]);
    d_step { senders--; left = senders };
#ifndef LAST_DROP_FORGETS
    if
    :: left == 0 -> close()
    :: else
    fi;
#endif
    ended++
}

proctype closer()
{
    if
    :: close()
    :: skip
    fi
}

inline read_item()
{
    v = item[SLOT(old)];
    d_step {
        assert(v != UNWRITTEN);
        assert(v % 16 == received[v / 16]);
        received[v / 16]++;
        v = 0
    }
}

proctype consumer()
{
    byte v;
    short old;
    do
    :: sequence[SLOT(head)] == head ->
        old = head;
#ifdef GRANT_BEFORE_READ
        head = head + 2;
        sequence[SLOT(GRANT(old))] = GRANT(old);
        read_item()
#else
        read_item();
        head = head + 2;
        sequence[SLOT(GRANT(old))] = GRANT(old)
#endif
    :: sequence[SLOT(head)] != head && closing ->
        if
        :: DRAINED -> break
        :: else -> (sequence[SLOT(head)] == head || DRAINED)
        fi
    od;
    assert(received[0] == accepted[0] && received[1] == accepted[1]);
    ended == 2;
    assert(received[0] == accepted[0] && received[1] == accepted[1])
}

init
{
    byte i = 0;
    atomic {
        do
        :: i < CAPACITY -> sequence[i] = 2 * i; i++
        :: else -> break
        od;
        i = 0;
        run producer(0);
        run producer(1);
        run closer();
        run consumer()
    }
}
