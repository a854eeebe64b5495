/* SPDX-License-Identifier: MIT
 * ipc/endpoint_remote.c: the initiator's CPU (calls with or without a deadline, which passes at any moment; CANCELS:
 * asynchronous ones as well, cancellation by another thread, the end of the calling one; the next call at once; death
 * at any moment) and the handler's (read or deliver, respond, respond again, death), one FIFO each way; RESTARTS: each
 * that died starts again, once. The kernel runs to completion: a CPU is one process, and what the other can see is a
 * step. Checked in every interleaving: nothing is written for a call that is over, or to a memory that was loaded anew
 * (but a copy that had begun may end in the memory of the dead); a response that was accepted is reported as such; what
 * is read is one whole request; an answer goes to the request it was made for; each request is posted once; every call
 * ends, with a deadline even if the handler hangs; in the end the initiator knows whether the handler lives; and how
 * many messages are under way. UNBOUNDED sends held requests at once: then the generation alone keeps all but the
 * bound; with held requests it is a second lock on the same door.
 * CONFIG: -DCALLS=3
 * CONFIG: -DCALLS=3 -DINITIATOR_DIES
 * CONFIG: -DCALLS=3 -DHANDLER_DIES
 * CONFIG: -DCALLS=2 -DINITIATOR_DIES -DHANDLER_DIES
 * CONFIG: -DCALLS=2 -DCANCELS
 * CONFIG: -DCALLS=2 -DCANCELS -DINITIATOR_DIES -DRESTARTS
 * CONFIG: -DCALLS=2 -DCANCELS -DHANDLER_DIES -DRESTARTS
 * CONFIG: -DCALLS=2 -DINITIATOR_DIES -DHANDLER_DIES -DRESTARTS
 * CONFIG: -DCALLS=3 -DHANDLER_HANGS
 * CONFIG: -DCALLS=3 -DUNBOUNDED
 * MUTANTS: NOT_HELD NO_GENERATION CLAIM_IN_TWO_STEPS COPY_BEFORE_CLAIM RESPONSE_BEFORE_COPY LOST_CLAIM_IS_DEADLINE
 * MUTANTS: READ_UNCHECKED DELIVER_UNCHECKED ANSWERS_UNSEEN ECHO_ONLY_IF_DROPPED CANCEL_KEEPS_REQUEST
 * MUTANTS -DINITIATOR_DIES: STOP_LEAVES_OPEN RESPONSE_TO_THE_DEAD SEEN_UNSAID
 * MUTANTS -DHANDLER_DIES: STOP_KEEPS_HELD DEATH_UNTOLD
 * MUTANTS -DCANCELS: HELD_IS_CANCELLED CANCEL_DOES_NOT_WAIT CANCEL_LEAVES_OPEN ABANDON_FORGETS
 * MUTANTS -DRESTARTS: RESTART_WITHOUT_SEEN STARTED_UNTOLD */
#define OPEN 0
#define COPYING 1
#define DONE 2
#define GIVEN_UP 3

#ifdef NO_GENERATION
#define WORD(g, c) (c)
#else
#define WORD(g, c) ((g) * 4 + c)
#endif

/* Under way to the handler: REQUEST, CANCEL; to the initiator: RESPONSE or CANCELLED; and what deaths add. */
#ifdef INITIATOR_DIES
#define INITIATOR_DEATHS 1
#else
#define INITIATOR_DEATHS 0
#endif
#ifdef HANDLER_DIES
#define HANDLER_DEATHS 1
#else
#define HANDLER_DEATHS 0
#endif
#ifdef RESTARTS
#define STARTS(deaths) deaths
#else
#define STARTS(deaths) 0
#endif
#ifdef UNBOUNDED
#define TO_HANDLER (2 * CALLS + 1)
#define TO_INITIATOR (2 * CALLS + 1)
#define MUST_HOLD false
#else
#define TO_HANDLER (2 + INITIATOR_DEATHS + STARTS(INITIATOR_DEATHS) + HANDLER_DEATHS)
#define TO_INITIATOR (1 + HANDLER_DEATHS + STARTS(HANDLER_DEATHS) + INITIATOR_DEATHS)
#ifdef NOT_HELD
#define MUST_HOLD false
#else
#define MUST_HOLD unacknowledged
#endif
#endif

#ifdef RESTART_WITHOUT_SEEN
#define IS_QUIET true
#else
#define IS_QUIET quiet
#endif

mtype = { REQUEST, RESPONSE, CANCEL, CANCELLED, STOPPED, SEEN, STARTED };
mtype = { NONE, OK, DEADLINE, UNAVAILABLE, GONE };           /* how a call ended; GONE: it was cancelled */
mtype = { IDLE, CALL, ASYNC, COLLECT, WAITS, ABANDONED }; /* what is under way at the initiator's end; WAITS: a thread
                                                               that cancels, for the answer that is being written */

chan to_handler = [TO_HANDLER] of { mtype, byte, byte }; /* generation; number of the call, unknown to the kernel */
chan to_initiator = [TO_INITIATOR] of { mtype, byte };
byte claim;
byte request[2], reply[2]; /* the initiator's buffers, in two halves */
bool initiator_done, handler_done, handler_stopped;

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

/* endpoint_complete, and the call returns, or is collected. */
inline finish(how)
{
    d_step {
        assert(busy != IDLE && returned[number] == NONE);
        assert(how == GONE || answered[number] == (how == OK));
        assert(how != OK || (reply[0] == number && reply[1] == number));
        busy = IDLE;
        deadline = false;
        returned[number] = how;
        in_call = 0
    }
}

inline transact()
{
    request[0] = number + 1;
    request[1] = number + 1;
    d_step { number++; in_call = number; busy = CALL };
    if
    :: dead -> finish(UNAVAILABLE)
    :: else ->
        if
        :: deadline = true
#ifndef HANDLER_HANGS
        :: deadline = false
#endif
#ifdef CANCELS
        :: busy = ASYNC
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

/* remote_cancel: won, or the answer is being written. */
inline give_up()
{
    if
#ifndef HELD_IS_CANCELLED
    :: held -> held = false; won = true
#endif
    :: else ->
        take(generation, GIVEN_UP, 0);
        if
        :: won ->
            unacknowledged = true;
            send_to_handler(CANCEL, generation, number)
        :: else
        fi
    fi
}

inline expire()
{
    deadline = false;
    give_up();
    if
    :: won -> finish(DEADLINE)
    :: else -> /* the response is certain and near */
#ifdef LOST_CLAIM_IS_DEADLINE
        finish(DEADLINE)
#endif
        skip
    fi
}

/* channel_async_cancel: of what another thread waits for, or of an asynchronous call, also when that is answered. */
inline cancel()
{
    if
    :: busy == COLLECT -> finish(GONE)
    :: else ->
#ifdef CANCEL_LEAVES_OPEN
        won = busy == ASYNC
#else
        give_up()
#endif
        ;
        if
        :: won -> finish(GONE)
        :: !won && busy == ASYNC ->
#ifdef CANCEL_DOES_NOT_WAIT
            finish(GONE)
#else
            busy = WAITS
#endif
        :: else /* another thread's: it will have its answer */
        fi
    fi
}

/* The thread that is blocked in the call, or in the cancellation, ends. */
inline abandon()
{
    deadline = false;
    give_up();
    d_step {
        if
#ifndef ABANDON_FORGETS
        :: !won -> busy = ABANDONED
#endif
        :: else -> busy = IDLE; in_call = 0
        fi
    }
}

inline initiator_stops()
{
    if
    :: busy != IDLE && busy != COLLECT && !held ->
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
    d_step { busy = IDLE; held = false; deadline = false; stopped = true };
    send_to_handler(STOPPED, 0, 0)
}

/* Its memory is loaded anew. */
inline initiator_starts()
{
    d_step {
        starts++;
        stopped = false;
        quiet = false;
        in_call = 0;
        reply[0] = 0;
        reply[1] = 0
    };
    send_to_handler(STARTED, 0, 0)
}

inline received()
{
    if
    :: busy == ASYNC -> busy = COLLECT
    :: busy == WAITS -> finish(GONE)
    :: busy == ABANDONED -> d_step { busy = IDLE; in_call = 0 }
    :: else -> finish(OK)
    fi
}

proctype initiator()
{
    byte number, generation, g, starts;
    mtype busy = IDLE;
    bool deadline, held, unacknowledged, dead, stopped, quiet, won;
    do
    :: busy == IDLE && !stopped && number < CALLS -> transact()
    :: busy == CALL && deadline -> expire()
    :: busy == COLLECT -> finish(OK)
#ifdef CANCELS
    :: busy == CALL || busy == ASYNC || busy == COLLECT -> cancel()
    :: busy == CALL || busy == WAITS -> abandon()
#endif
#ifdef INITIATOR_DIES
    :: !stopped && !initiator_done -> initiator_stops()
#ifdef RESTARTS
    :: stopped && IS_QUIET && !initiator_done && starts == 0 -> initiator_starts()
#endif
#endif
    :: to_initiator?RESPONSE(g) ->
        if
#ifndef RESPONSE_TO_THE_DEAD
        :: busy == IDLE || generation != g
#endif
        :: else -> received()
        fi
    :: to_initiator?CANCELLED(g) ->
        unacknowledged = false;
        if
        :: held ->
            assert(busy == CALL || busy == ASYNC);
            held = false;
            claim = WORD(generation, OPEN);
            send_to_handler(REQUEST, generation, number)
        :: else
        fi
    :: to_initiator?STOPPED(g) ->
        dead = true;
        assert(busy != WAITS && busy != ABANDONED); /* that answer's message came before */
        if
        :: busy == CALL || busy == ASYNC ->
#ifndef STOP_KEEPS_HELD
            held = false;
#endif
            finish(UNAVAILABLE) /* of an asynchronous one: what will be collected */
        :: else
        fi;
        send_to_handler(SEEN, 0, 0)
    :: to_initiator?SEEN(g) -> quiet = true
    :: to_initiator?STARTED(g) ->
#ifndef STARTED_UNTOLD
        dead = false
#endif
    :: !initiator_done && (stopped || (busy == IDLE && number == CALLS)) -> initiator_done = true
    :: initiator_done && handler_done && empty(to_initiator) -> break
    od;
    assert(dead == handler_stopped && (quiet || !stopped))
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

inline handler_stops()
{
    d_step { handler_stopped = true; pending = false; known = 0; tries = 0 };
#ifndef DEATH_UNTOLD
    send_to_initiator(STOPPED, 0)
#endif
}

inline handler_starts()
{
    d_step { starts++; handler_stopped = false; quiet = false };
    send_to_initiator(STARTED, 0)
}

proctype handler()
{
    byte number, generation, g, n, first, second, starts;
    byte known, tries, reads; /* the process: what it has read, how often it answered and read it */
    bool pending, seen, hangs, quiet, won, dropped;
    do
    :: pending && !hangs && reads < 2 -> read(false)
    :: pending && !hangs && reads < 2 -> read(true)
    :: known && !hangs && tries < 2 -> respond()
#ifdef HANDLER_DIES
    :: !handler_stopped -> handler_stops()
#ifdef RESTARTS
    :: handler_stopped && IS_QUIET && starts == 0 -> handler_starts()
#endif
#endif
#ifdef HANDLER_HANGS
    :: !hangs -> hangs = true
#endif
    :: to_handler?REQUEST(g, n) ->
        if
        :: handler_stopped /* STOPPED is on the way to who asks */
        :: else ->
            d_step {
                assert(!pending && !posted[n]);
                posted[n] = true;
                pending = true;
                seen = false;
                reads = 0;
                generation = g;
                number = n
            }
        fi
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
    :: to_handler?STOPPED(g, n) ->
        pending = false;
#ifndef SEEN_UNSAID
        send_to_initiator(SEEN, 0)
#endif
    :: to_handler?SEEN(g, n) -> quiet = true
    :: to_handler?STARTED(g, n)
    :: initiator_done && empty(to_handler) && (!pending || hangs) -> break
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
