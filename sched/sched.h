/* SPDX-License-Identifier: MIT
 * Who runs on this CPU. The kernel runs to completion with interrupts off, so a switch is: make another thread current,
 * load its address space, leave by its saved registers. A call that blocks therefore never returns to its caller in C:
 * it ends in thread_resume of whoever runs instead, and the stack is left as it is. Home CPU only. */
#pragma once
#include <arch/control.h>
#include <arch/percpu.h>
#include <arch/resume.h>
#include "sched/inbox.h"
#include "sched/process.h"
#include "sched/runq.h"
#include "sched/thread.h"
#include "sched/timer.h"

extern struct runq runq; /* PERCPU */

enum idle_policy { IDLE_POLL, IDLE_ADAPTIVE, IDLE_HLT };

/* What CPUs do with nothing to run: poll the inbox for ever, poll for a while and then halt, or halt at once. Boot. */
void sched_set_idle(enum idle_policy policy);

/* This CPU, which has no threads to run, halts as soon as it idles, or does as the others again. */
void sched_park(bool on);

/* Any CPU, roughly now. */
bool sched_is_parked(uint32_t cpu);

static inline struct thread *sched_current(void)
{
    return this_cpu(percpu_head).current;
}

/* Makes `next`, which is in no queue and of another process than the thread before, current. */
static inline void sched_switch(struct thread *next)
{
    next->waiter.state = THREAD_RUNNING;
    this_cpu(percpu_head).current = next;
    cr3_write(next->cr3);
}

/* The direct handoff is allowed: no ready thread is as urgent as `t`, so the run queue need not be asked. */
static inline bool sched_can_handoff(const struct thread *t)
{
    return !(this_cpu(runq).bitmap & t->rivals);
}

/* Marks `t` ready and queues it. The caller decides about preemption (sched_preempt) at the end of its call. */
void sched_ready(struct thread *t);

/* The current thread blocks (its wait is recorded): runs the most urgent ready thread, or idles until there is one. */
_Noreturn void sched_block(void);

/* As sched_block, but `next` was just woken by the current thread and is in no queue: it runs at once unless a ready
 * thread is as urgent. */
_Noreturn void sched_block_for(struct thread *next);

/* The current thread's call gave `result` and may have readied others: a more urgent one runs first. Returns the result
 * if the thread goes on. */
struct result sched_preempt(struct result result);

/* sched_ready, then sched_preempt. */
struct result sched_ready_preempt(struct thread *t, struct result result);

/* thread_yield: to the back of its priority. */
struct result sched_yield(void);

/* After an interrupt from user mode: the same for the interrupted thread. Returns if it goes on. */
void sched_interrupted(void);

/* The current slice ended and the thread that began it still runs. From timer_interrupt. */
void sched_slice_end(void);

/* First entry to user mode on this CPU. */
_Noreturn void sched_start(void);
