/* SPDX-License-Identifier: MIT
 * Deadlines and time slices of one CPU, on one one-shot timer; no tick unless somebody asks for one (timer_every). A
 * deadline is a cell in a dense table, one per thread: setting one costs a store and a compare unless it is the
 * earliest, clearing one costs a store. The expiry walks the table (eight threads a cache line). An expiry that finds
 * nothing due is normal: a cleared deadline leaves the timer armed. Home CPU only, interrupts off. */
#pragma once
#include <arch/percpu.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sched/thread.h"

#define TIME_NEVER UINT64_MAX

struct timer {
    uint64_t armed_ns;              /* [o] when the timer will fire; TIME_NEVER */
    uint64_t slice_ns;              /* [o] end of the time slice; TIME_NEVER without a rival of equal priority */
    uint64_t *deadlines;            /* [o] cells of this CPU's threads */
    struct thread **threads;        /* [I] their owners */
    size_t count;                   /* [I] */
    struct thread *sliced;          /* [o] whose slice it is: it loses the CPU only if it still runs at its end */
    uint64_t due_ns;                /* [o] the earlier one of tick and alarm; TIME_NEVER */
    uint64_t tick_ns;               /* [o] when the next tick is due, if there are any */
    uint64_t period_ns;             /* [o] from tick to tick; 0: there are none */
    void (*tick)(uint64_t now_ns);  /* [o] */
    uint64_t alarm_ns;              /* [o] when the alarm is due, if there is one */
    void (*alarm)(uint64_t now_ns); /* [o] NULL: there is none */
};

extern struct timer timer; /* PERCPU */

/* Room for this many threads on `cpu`; boot CPU, before threads run. */
void timer_create(uint32_t cpu, size_t threads);

/* Gives `t` its cell on `cpu`; boot CPU, before threads run. */
void timer_adopt(uint32_t cpu, struct thread *t);

/* Length of a time slice, for every CPU. Boot. */
void timer_set_slice(uint64_t ns);

void timer_arm_earlier(uint64_t ns);

/* Deadline of a thread that is about to block. False, and nothing set, if it is already past: a deadline later than the
 * armed expiry cannot be, so the clock is read only for an earlier one. */
bool timer_deadline_set_early(struct thread *t, uint64_t ns);
static inline bool timer_is_later(uint64_t ns)
{
    return ns >= this_cpu(timer).armed_ns;
}

static inline bool timer_deadline_set(struct thread *t, uint64_t ns)
{
    if (__builtin_expect(!timer_is_later(ns), 0))
        return timer_deadline_set_early(t, ns);
    *t->deadline_ns = ns;
    return true;
}

static inline void timer_deadline_clear(struct thread *t)
{
    *t->deadline_ns = TIME_NEVER;
}

/* A rival of equal priority appeared and no slice runs (slice_ns): from now on slices count, this one for `owner`. */
void timer_slice_begin(struct thread *owner);

/* On this CPU `tick` is called at each multiple of `period_ns` since boot from here on, or as soon after it as
 * interrupts come in; one that is missed altogether is left out. 0: no more. */
void timer_every(uint64_t period_ns, void (*tick)(uint64_t now_ns));

/* On this CPU `alarm` is called once, at `ns` or as soon after it as interrupts come in; instead of what was asked for
 * before. */
void timer_alarm(uint64_t ns, void (*alarm)(uint64_t now_ns));

/* The timer interrupt: calls tick and alarm, expires deadlines (thread_expire), ends slices (sched_slice_end), arms
 * again. */
void timer_interrupt(void);

/* Supplied by ipc/wait.c: `t` is blocked and its deadline has passed; its cell is TIME_NEVER already. */
void thread_expire(struct thread *t, uint64_t now_ns);
