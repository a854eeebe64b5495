/* SPDX-License-Identifier: MIT
 * The per-CPU scheduler: priorities, round robin inside one, no tick. Idling happens inside the call that found nothing to
 * run, on the CPU's one stack; interrupts taken there only ready threads or fill the inbox. */
#include "sched/sched.h"

#include "sys/lib/panic.h"

#include <arch/atomic.h>
#include <arch/clock.h>
#include <arch/cpu.h>

#define ADAPTIVE_POLL_NS 20000

PERCPU(struct runq, runq);
static enum idle_policy idle_policy = IDLE_ADAPTIVE; /* [I] */

void sched_set_idle(enum idle_policy policy)
{
    idle_policy = policy;
}

static bool sched_is_idle(void)
{
    return this_cpu(runq).bitmap == 0 && inbox_is_empty();
}

static bool idle_may_halt(uint64_t since_ns)
{
    return idle_policy == IDLE_HLT || (idle_policy == IDLE_ADAPTIVE && clock_now_ns() - since_ns > ADAPTIVE_POLL_NS);
}

/* Until there is something to do. Interrupts come in only here while the kernel runs. */
static void sched_idle(void)
{
    inbox_set_level(INBOX_POLLING);
    uint64_t since_ns = clock_now_ns();
    while (sched_is_idle()) {
        if (idle_may_halt(since_ns)) {
            inbox_set_level(INBOX_HALTED);
            if (sched_is_idle())
                interrupts_halt();
            inbox_set_level(INBOX_POLLING);
        } else {
            interrupts_window();
            cpu_pause();
        }
    }
}

static struct thread *sched_pick(void)
{
    struct runq *q = this_cpu_ptr(runq);
    for (;;) {
        if (!inbox_is_empty())
            inbox_run();
        struct thread *t = runq_pop(q);
        if (t)
            return t;
        sched_idle();
    }
}

/* Runs `next` instead of `previous`, who is blocked, queued or stopped. */
static struct result sched_run(struct thread *previous, struct thread *next)
{
    next->state = THREAD_RUNNING;
    sched_switch(previous, next);
    if (next->priority != inbox_level())
        inbox_set_level(next->priority); /* it was idle in between */
    if (runq_has(this_cpu_ptr(runq), next->priority))
        timer_slice_begin();
    return next->result;
}

void sched_ready(struct thread *t)
{
    t->state = THREAD_READY;
    runq_push(this_cpu_ptr(runq), t);
    if (t->priority == sched_current()->priority && sched_current()->state == THREAD_RUNNING)
        timer_slice_begin();
}

struct result sched_block(void)
{
    return sched_run(sched_current(), sched_pick());
}

struct result sched_block_for(struct thread *next)
{
    if (sched_can_handoff(next))
        return sched_run(sched_current(), next);
    sched_ready(next);
    return sched_block();
}

struct result sched_preempt(struct result result)
{
    struct thread *t = sched_current();
    struct runq *q = this_cpu_ptr(runq);
    if (!runq_beats(q, t->priority))
        return result;
    t->result = result;
    t->state = THREAD_READY;
    runq_push_front(q, t);
    return sched_run(t, runq_pop(q));
}

struct result sched_yield(void)
{
    struct thread *t = sched_current();
    struct runq *q = this_cpu_ptr(runq);
    if (!inbox_is_empty())
        inbox_run();
    if (!(q->bitmap & t->rivals))
        return result_ok(0);
    t->result = result_ok(0);
    t->state = THREAD_READY;
    runq_push(q, t);
    return sched_run(t, runq_pop(q));
}

struct result sched_interrupted(void)
{
    struct thread *t = sched_current();
    if (t->state != THREAD_RUNNING)
        return sched_block();
    return sched_preempt(t->result);
}

void sched_slice_end(void)
{
    struct thread *t = sched_current();
    struct runq *q = this_cpu_ptr(runq);
    if (t->state != THREAD_RUNNING || !runq_has(q, t->priority))
        return;
    if (t == this_cpu(timer).sliced) {
        t->state = THREAD_READY;
        runq_push(q, t); /* sched_interrupted finds it no longer running and picks */
    }
    timer_slice_begin();
}

struct result sched_start(void)
{
    /* Stands for what ran before any thread did, so that `current` is never NULL. */
    static PERCPU(struct thread, nobody);
    static struct process no_process;
    struct thread *t = this_cpu_ptr(nobody);
    t->process = &no_process;
    t->state = THREAD_STOPPED;
    this_cpu(percpu_head).current = t;
    return sched_block();
}
