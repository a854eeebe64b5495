/* SPDX-License-Identifier: MIT
 * ipc/endpoint_notify.c between two CPUs: the sender or-s bits into the receiver's word, raises and lowers a level in
 * it, and announces it; the receiver takes all out when the announcement comes. Each access to the word is one step.
 * The sender may die and, after SEEN, start again; its messages arrive in order. Checked in every interleaving: one
 * announcement is under way at most; in the end each bit was received after it was sent last, the level is what was set
 * last, and of each time that it was raised the receiver has heard, also if it was lowered at once; nothing is received
 * that was not sent, in this life.
 * CONFIG: -DSENDS=4
 * CONFIG: -DSENDS=3 -DDIES
 * MUTANTS: CLEARED_AFTER_READING TAKEN_IN_TWO_STEPS SET_IN_TWO_STEPS SENT_BEFORE_SET ALWAYS_SENT NEVER_MARKED
 * MUTANTS: RAISED_UNMARKED LEVEL_TAKEN OFF_UNANNOUNCED
 * MUTANTS -DDIES: DEATH_KEEPS_LEVEL DEATH_KEEPS_BITS RESTART_WITHOUT_SEEN */
#define BIT_0 1
#define BIT_1 2
#define USER 4
#define RAISED 8
#define ANNOUNCED 16
#define WITHOUT(bits) (255 - (bits))

#ifdef RAISED_UNMARKED
#define RAISE USER
#else
#define RAISE (USER | RAISED)
#endif
#ifdef NEVER_MARKED
#define MARK 0
#else
#define MARK ANNOUNCED
#endif
#ifdef ALWAYS_SENT
#define MUST_ANNOUNCE true
#else
#ifdef OFF_UNANNOUNCED
#define MUST_ANNOUNCE (!(old & ANNOUNCED) && set)
#else
#define MUST_ANNOUNCE (!(old & ANNOUNCED))
#endif
#endif

mtype = { MAIL, STOPPED, SEEN };

chan to_receiver = [2] of { mtype };
chan to_sender = [1] of { mtype };
byte mail;      /* the word */
byte under_way; /* announcements that have been sent and have not come */
byte notified;  /* the receiver's: bits that nobody has taken */
bool user;      /* and the level */
bool sender_done;

/* Not in the kernel: what the properties speak of. */
byte sent[2], received[2]; /* of a bit: how often it was sent, and how often when it was received last */
byte raised, heard;        /* the same of the level */
bool level;                /* as set last */

inline announce()
{
    if
    :: MUST_ANNOUNCE ->
        d_step { under_way++; assert(under_way == 1) };
        to_receiver!MAIL
    :: else
    fi
}

inline note_sent()
{
    sent[0] = sent[0] + (set == BIT_0);
    sent[1] = sent[1] + (set == BIT_1);
    raised = raised + (set == RAISE);
    level = (clear == USER -> false : (set == RAISE -> true : level))
}

proctype sender()
{
    byte sends, old, set, clear, lives;
    do
    :: sends == SENDS -> break
    :: sends < SENDS ->
        d_step { sends++; set = 0; clear = 0 };
        if
        :: set = BIT_0
        :: set = BIT_1
        :: set = RAISE
        :: clear = USER
        fi;
again:
        old = mail;
#ifdef SENT_BEFORE_SET
        announce();
#endif
#ifdef SET_IN_TWO_STEPS
        d_step { mail = (old & WITHOUT(clear)) | set | MARK; note_sent() };
#else
        atomic {
            if
            :: mail == old -> mail = (old & WITHOUT(clear)) | set | MARK; note_sent()
            :: else -> goto again
            fi
        };
#endif
#ifndef SENT_BEFORE_SET
        announce()
#endif
#ifdef DIES
    :: lives == 0 ->
        to_receiver!STOPPED;
#ifndef RESTART_WITHOUT_SEEN
        to_sender?SEEN;
#endif
        d_step { /* what was sent in that life need not be received, and is not any more */
            lives++;
            level = false;
            received[0] = sent[0];
            received[1] = sent[1];
            heard = raised;
            assert(!notified && !user)
        }
#endif
    od;
    sender_done = true
}

/* What was taken out of the word. */
inline receive()
{
    d_step {
        assert(!(old & BIT_0) || received[0] < sent[0]);
        assert(!(old & BIT_1) || received[1] < sent[1]);
        notified = notified | (old & (BIT_0 | BIT_1));
        received[0] = (old & BIT_0 -> sent[0] : received[0]);
        received[1] = (old & BIT_1 -> sent[1] : received[1]);
        heard = (old & RAISED -> raised : heard);
        user = (old & USER) != 0
    }
}

/* The receiver's exchange is one step: it is tried until it succeeds, and only the last try counts. */
inline take()
{
#ifdef TAKEN_IN_TWO_STEPS
    old = mail;
    d_step { mail = old & USER };
    receive()
#else
#ifdef CLEARED_AFTER_READING
    atomic { old = mail; mail = mail & (USER | ANNOUNCED); receive() };
    mail = mail & WITHOUT(ANNOUNCED)
#else
#ifdef LEVEL_TAKEN
    atomic { old = mail; mail = 0; receive() }
#else
    atomic { old = mail; mail = mail & USER; receive() }
#endif
#endif
#endif
}

proctype receiver()
{
    byte old;
    do
    :: to_receiver?MAIL ->
        under_way--;
        take()
    :: to_receiver?STOPPED ->
#ifndef DEATH_KEEPS_BITS
        notified = 0;
#endif
        user = false;
#ifndef DEATH_KEEPS_LEVEL
        mail = 0;
#endif
        to_sender!SEEN
    :: notified -> notified = 0 /* somebody takes them */
    :: sender_done && empty(to_receiver) -> break
    od;
    assert(received[0] == sent[0] && received[1] == sent[1]);
    assert(user == level && heard == raised && !(mail & WITHOUT(USER)))
}

init
{
    atomic {
        run sender();
        run receiver()
    }
}
