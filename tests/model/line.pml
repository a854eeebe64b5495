/* SPDX-License-Identifier: MIT
 * sys/line.c: a level-triggered line whose home is not the boot CPU, which alone touches the IO-APIC. The home CPU wants
 * it masked (an interrupt, a death) or open (the driver); it asks by a message, and the boot CPU answers by one. EOI
 * waits until the interrupt's own mask is in effect. Checked in every interleaving: one request and one answer are under
 * way at most; EOI never comes before the mask; in the end what was wanted last is in effect, and no EOI is owed.
 * CONFIG: -DCHANGES=5
 * MUTANTS: ASK_CLEARED_LATE ANSWER_CLEARED_LATE ALWAYS_ASKED ALWAYS_ANSWERED ASKED_BEFORE_WANTED EOI_AT_ONCE
 * MUTANTS: ANSWERED_BEFORE_APPLIED APPLIED_READ_AGAIN */
mtype = { REQUEST, ANSWER };

chan to_boot = [2] of { mtype };
chan to_home = [2] of { mtype };
byte wanted = 1, applied = 1; /* number of changes * 2, and 1: masked */
bool asked, answered;
bool home_done, boot_works; /* what the end is known by */

/* The hardware. */
byte in_effect = 1; /* what the IO-APIC was told last */
bool sent, owed;    /* an interrupt is on its way to the home CPU; it awaits EOI */

#define MASKED 1
#define CHANGE 2

inline ask()
{
    atomic { was = asked; asked = true };
    if
#ifdef ALWAYS_ASKED
    :: true -> was = false
#else
    :: true
#endif
    fi;
    if
    :: !was -> assert(empty(to_boot)); to_boot!REQUEST
    :: else
    fi
}

inline want(masked)
{
#ifdef ASKED_BEFORE_WANTED
    ask();
    wanted = ((wanted / CHANGE) + 1) * CHANGE + masked
#else
    wanted = ((wanted / CHANGE) + 1) * CHANGE + masked;
    ask()
#endif
}

inline end_of_interrupt()
{
    d_step {
        assert(in_effect / CHANGE >= eoi_at / CHANGE);
        owed = false;
        in_service = false
    }
}

proctype home()
{
    byte eoi_at, now;
    bool in_service, was;
    do
    :: wanted / CHANGE < CHANGES && (wanted & MASKED) -> want(0)
    :: wanted / CHANGE < CHANGES && !(wanted & MASKED) -> want(MASKED)
    :: sent ->
        sent = false;
        want(MASKED);
        in_service = true;
        eoi_at = wanted
    :: to_home?ANSWER ->
#ifndef ANSWER_CLEARED_LATE
        answered = false;
#endif
        now = applied;
        if
#ifdef EOI_AT_ONCE
        :: in_service -> end_of_interrupt()
#else
        :: in_service && now / CHANGE >= eoi_at / CHANGE -> end_of_interrupt()
#endif
        :: else
        fi;
#ifdef ANSWER_CLEARED_LATE
        answered = false
#endif
    :: wanted / CHANGE >= CHANGES && !sent && !boot_works && empty(to_boot) && empty(to_home) -> break
    od;
    home_done = true;
    assert(applied == wanted && in_effect == wanted);
    assert(!in_service && !owed)
}

inline answer()
{
    atomic { was = answered; answered = true };
    if
#ifdef ALWAYS_ANSWERED
    :: true -> was = false
#else
    :: true
#endif
    fi;
    if
    :: !was -> assert(empty(to_home)); to_home!ANSWER
    :: else
    fi
}

proctype boot()
{
    byte now;
    bool was;
    do
    :: atomic { to_boot?REQUEST -> boot_works = true };
#ifndef ASK_CLEARED_LATE
        asked = false;
#endif
#ifdef ANSWERED_BEFORE_APPLIED
        answer();
#endif
        now = wanted;
        in_effect = now;
#ifdef APPLIED_READ_AGAIN
        now = wanted;
#endif
        applied = now;
#ifdef ASK_CLEARED_LATE
        asked = false;
#endif
#ifndef ANSWERED_BEFORE_APPLIED
        answer();
#endif
        boot_works = false
    :: home_done -> break
    od
}

/* Always wants attention. */
proctype device()
{
    do
    :: atomic { !(in_effect & MASKED) && !owed && wanted / CHANGE < CHANGES -> owed = true; sent = true }
    :: home_done -> break
    od
}

init
{
    atomic {
        run home();
        run boot();
        run device()
    }
}
