/* SPDX-License-Identifier: MIT
 * ipc/endpoint_remote.c: the initiator's CPU (calls with or without a deadline, which passes at any moment; the next
 * call at once; death at any moment) and the handler's (read or deliver, respond, respond again, death), one FIFO each
 * way. The kernel runs to completion: a CPU is one process, and what the other can see is a step. Checked in every
 * interleaving: nothing is written for a call that has returned or died (but a copy that had begun may end: the memory
 * of the dead is not reused); a response that was accepted is reported as such; what is read is one whole request; an
 * answer goes to the request it was made for; each request is posted once; every call ends, with a deadline even if
 * the handler hangs; at most 3 messages are under way to the handler's end and 2 to the initiator's. UNBOUNDED sends
 * held requests at once: then the generation alone keeps all but the bound; with held requests it is a second lock on
 * the same door.
 * CONFIG: -DCALLS=3
 * CONFIG: -DCALLS=3 -DINITIATOR_DIES
 * CONFIG: -DCALLS=3 -DHANDLER_DIES
 * CONFIG: -DCALLS=2 -DINITIATOR_DIES -DHANDLER_DIES
 * CONFIG: -DCALLS=3 -DHANDLER_HANGS
 * CONFIG: -DCALLS=3 -DUNBOUNDED
 * MUTANTS: NOT_HELD NO_GENERATION CLAIM_IN_TWO_STEPS COPY_BEFORE_CLAIM RESPONSE_BEFORE_COPY LOST_CLAIM_IS_DEADLINE
 * MUTANTS: READ_UNCHECKED DELIVER_UNCHECKED ANSWERS_UNSEEN ECHO_ONLY_IF_DROPPED HELD_IS_CANCELLED STOP_KEEPS_HELD
 * MUTANTS: STOP_LEAVES_OPEN RESPONSE_TO_THE_DEAD DEATH_UNTOLD CANCEL_KEEPS_REQUEST */
#define OPEN 0
#define COPYING 1
#define DONE 2
#define GIVEN_UP 3

#ifdef NO_GENERATION
#define WORD(g, c) (c)
#else
#define WORD(g, c) ((g) * 4 + c)
#endif

#ifdef UNBOUNDED
#define TO_HANDLER (2 * CALLS + 1)
#define TO_INITIATOR (2 * CALLS + 1)
#define MUST_HOLD false
#else
#define TO_HANDLER 3
#define TO_INITIATOR 2
#ifdef NOT_HELD
#define MUST_HOLD false
#else
#define MUST_HOLD unacknowledged
#endif
#endif

mtype = { REQUEST, RESPONSE, CANCEL, CANCELLED, STOPPED, NONE, OK, DEADLINE, UNAVAILABLE };

chan to_handler = [TO_HANDLER] of { mtype, byte, byte }; /* generation; number of the call, unknown to the kernel */
chan to_initiator = [TO_INITIATOR] of { mtype, byte };
byte claim;
byte request[2], reply[2]; /* the initiator's buffers, in two halves */
bool initiator_done, handler_done;

/* Not in the kernel: what the properties speak of. */
byte in_call;               /* number of the call for which the reply may be written */
bool answered[CALLS + 1];   /* its response was accepted */
mtype returned[CALLS + 1] = NONE;
bool posted[CALLS + 1];

#define send_to_handler(m, g, n) d_step { assert(len(to_handler) < TO_HANDLER); to_handler!m(g, n) }
#define send_to_initiator(m, g) d_step { assert(len(to_initiator) < TO_INITIATOR); to_initiator!m(g) }

/* claim_take: OPEN -> next. `mine`: the call that is answered by it, or 0. */
inline take(g, next, mine)
{
#ifdef CLAIM_IN_TWO_STEPS
    won = claim == WORD(g, OPEN);
#endif
    d_step {
#ifndef CLAIM_IN_TWO_STEPS
        won = claim == WORD(g, OPEN);
#endif
        if
        :: won -> claim = WORD(g, next); answered[mine] = true
        :: else
        fi
    }
}

/* endpoint_complete, and the call returns. */
inline finish(how)
{
    d_step {
        assert(blocked && returned[number] == NONE);
        assert(answered[number] == (how == OK));
        assert(how != OK || (reply[0] == number && reply[1] == number));
        blocked = false;
        deadline = false;
        returned[number] = how;
        in_call = 0
    }
}

inline transact()
{
    request[0] = number + 1;
    request[1] = number + 1;
    d_step { number++; in_call = number; blocked = true };
    if
    :: dead -> finish(UNAVAILABLE)
    :: else ->
        if
        :: deadline = true
#ifndef HANDLER_HANGS
        :: deadline = false
#endif
        fi;
        d_step { generation = (generation + 1) % 8; held = MUST_HOLD };
        if
        :: held
        :: else ->
            claim = WORD(generation, OPEN);
            send_to_handler(REQUEST, generation, number)
        fi
    fi
}

inline expire()
{
    deadline = false;
    if
#ifndef HELD_IS_CANCELLED
    :: held -> held = false; finish(DEADLINE)
#endif
    :: else ->
        take(generation, GIVEN_UP, 0);
        if
        :: won ->
            unacknowledged = true;
            send_to_handler(CANCEL, generation, number);
            finish(DEADLINE)
        :: else -> /* the response is certain and near */
#ifdef LOST_CLAIM_IS_DEADLINE
            finish(DEADLINE)
#endif
            skip
        fi
    fi
}

inline initiator_stops()
{
    if
    :: blocked && !held ->
#ifdef STOP_LEAVES_OPEN
        in_call = 0
#else
        take(generation, GIVEN_UP, 0);
        if
        :: won -> in_call = 0
        :: else
        fi
#endif
    :: else -> in_call = 0
    fi;
    d_step { blocked = false; held = false; deadline = false; stopped = true };
    send_to_handler(STOPPED, 0, 0)
}

proctype initiator()
{
    byte number, generation, g;
    bool blocked, deadline, held, unacknowledged, dead, stopped, won;
    do
    :: !blocked && !stopped && number < CALLS -> transact()
    :: blocked && deadline -> expire()
#ifdef INITIATOR_DIES
    :: !stopped && !initiator_done -> initiator_stops()
#endif
    :: to_initiator?RESPONSE(g) ->
        if
#ifndef RESPONSE_TO_THE_DEAD
        :: !(blocked && generation == g)
#endif
        :: else -> finish(OK)
        fi
    :: to_initiator?CANCELLED(g) ->
        unacknowledged = false;
        if
        :: held ->
            assert(blocked);
            held = false;
            claim = WORD(generation, OPEN);
            send_to_handler(REQUEST, generation, number)
        :: else
        fi
    :: to_initiator?STOPPED(g) ->
        dead = true;
        if
        :: blocked ->
#ifndef STOP_KEEPS_HELD
            held = false;
#endif
            finish(UNAVAILABLE)
        :: else
        fi
    :: !initiator_done && (stopped || (!blocked && number == CALLS)) -> initiator_done = true
    :: initiator_done && handler_done && empty(to_initiator) -> break
    od
}

/* endpoint_read; endpoint_deliver, which drops a request that was cancelled while it copied, and waits on. */
inline read(deliver)
{
    d_step { reads++; first = request[0] };
    d_step {
        second = request[1];
        seen = true; /* it may be answered: the process knows of it */
        won = true
    };
#ifdef READ_UNCHECKED
    if
    :: deliver -> won = claim == WORD(generation, OPEN)
    :: else
    fi;
#else
#ifdef DELIVER_UNCHECKED
    if
    :: !deliver -> won = claim == WORD(generation, OPEN)
    :: else
    fi;
#else
    won = claim == WORD(generation, OPEN);
#endif
#endif
    d_step {
        if
        :: won -> assert(first == number && second == number); known = number; tries = 0
        :: else ->
            if
            :: deliver -> pending = false
            :: else
            fi
        fi;
        first = 0;
        second = 0
    }
}

inline write()
{
    d_step { assert(in_call == number); reply[0] = known };
    d_step { assert(in_call == number); reply[1] = known }
}

/* The process answers what it last read, whatever has become of that. */
inline respond()
{
    tries++;
    if
#ifdef ANSWERS_UNSEEN
    :: !pending
#else
    :: !(pending && seen)
#endif
    :: else ->
        pending = false;
#ifdef COPY_BEFORE_CLAIM
        write();
#endif
        take(generation, COPYING, number);
        if
        :: won ->
            assert(known == number && returned[number] == NONE);
#ifdef RESPONSE_BEFORE_COPY
            send_to_initiator(RESPONSE, generation);
            write()
#else
#ifndef COPY_BEFORE_CLAIM
            write();
#endif
            claim = WORD(generation, DONE);
            send_to_initiator(RESPONSE, generation)
#endif
        :: else
        fi
    fi
}

proctype handler()
{
    byte number, generation, g, n, first, second;
    byte known, tries, reads; /* the process: what it has read, how often it answered and read it */
    bool pending, seen, stopped, won, dropped;
    do
    :: pending && !stopped && reads < 2 -> read(false)
    :: pending && !stopped && reads < 2 -> read(true)
    :: known && !stopped && tries < 2 -> respond()
#ifdef HANDLER_DIES
    :: !stopped ->
        stopped = true;
#ifndef DEATH_UNTOLD
        send_to_initiator(STOPPED, 0)
#endif
#endif
#ifdef HANDLER_HANGS
    :: !stopped -> stopped = true
#endif
    :: to_handler?REQUEST(g, n) ->
        d_step {
            assert(!pending && !posted[n]);
            posted[n] = true;
            pending = true;
            seen = false;
            reads = 0;
            generation = g;
            number = n
        }
    :: to_handler?CANCEL(g, n) ->
        d_step {
            dropped = pending && generation == g;
#ifndef CANCEL_KEEPS_REQUEST
            if
            :: dropped -> pending = false
            :: else
            fi
#endif
        };
#ifdef ECHO_ONLY_IF_DROPPED
        if
        :: !dropped
        :: else -> send_to_initiator(CANCELLED, 0)
        fi
#else
        send_to_initiator(CANCELLED, 0)
#endif
    :: to_handler?STOPPED(g, n) -> pending = false
    :: initiator_done && empty(to_handler) && (!pending || stopped) -> break
    od;
    handler_done = true
}

init
{
    atomic {
        run initiator();
        run handler()
    }
}
