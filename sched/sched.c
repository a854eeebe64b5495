/* SPDX-License-Identifier: MIT
 * The per-CPU scheduler: priorities, round robin inside one, no tick. Idling happens inside the call that found nothing
 * to run, on the CPU's one stack; interrupts taken there only ready threads or fill the inbox. */
#include "sched/sched.h"

#include "sys/lib/panic.h"

#include <arch/atomic.h>
#include <arch/clock.h>
#include <arch/cpu.h>

#define ADAPTIVE_POLL_NS 20000

PERCPU(struct runq, runq);
static enum idle_policy idle_policy = IDLE_ADAPTIVE; /* [I] */
static PERCPU_ZERO(bool, parked);                    /* [o] read by all */

void sched_set_idle(enum idle_policy policy)
{
    idle_policy = policy;
}

void sched_park(bool on)
{
    store_relaxed(this_cpu_ptr(parked), on);
}

bool sched_is_parked(uint32_t cpu)
{
    return load_relaxed(cpu_ptr(cpu, parked)); /* remote look: one word, written by its owner only */
}

static bool sched_is_idle(void)
{
    return this_cpu(runq).bitmap == 0 && inbox_is_empty();
}

static bool idle_may_halt(uint64_t since_ns)
{
    return idle_policy == IDLE_HLT || this_cpu(parked) ||
           (idle_policy == IDLE_ADAPTIVE && clock_now_ns() - since_ns > ADAPTIVE_POLL_NS);
}

/* Until there is something to do. Interrupts come in only here while the kernel runs. */
static void sched_idle(void)
{
    inbox_set_level(INBOX_POLLING);
    interrupts_window(); /* even if messages never cease to come */
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

/* Runs `next`, who is in no queue; the current thread is blocked, queued or stopped, or `next` itself. */
static _Noreturn void sched_run(struct thread *next)
{
    if (next->process == sched_current()->process) {
        next->waiter.state = THREAD_RUNNING;
        this_cpu(percpu_head).current = next;
    } else {
        sched_switch(next);
    }
    if (next->priority != inbox_level())
        inbox_set_level(next->priority);
    if (runq_has(this_cpu_ptr(runq), next->priority) && this_cpu(timer).slice_ns == TIME_NEVER)
        timer_slice_begin(next);
    thread_resume(next);
}

/* Queues `t`; true if the current thread has a rival of its own priority now, and no slice runs yet. */
static inline __attribute__((always_inline)) bool ready(struct thread *t)
{
    const struct thread *current = sched_current();
    t->waiter.state = THREAD_READY;
    runq_push(this_cpu_ptr(runq), t);
    return t->priority == current->priority && current->waiter.state == THREAD_RUNNING &&
           this_cpu(timer).slice_ns == TIME_NEVER;
}

void sched_ready(struct thread *t)
{
    if (ready(t))
        timer_slice_begin(sched_current());
}

void sched_block(void)
{
    sched_run(sched_pick());
}

void sched_block_for(struct thread *next)
{
    if (sched_can_handoff(next))
        sched_run(next);
    sched_ready(next);
    sched_block();
}

/* The current thread is preempted; it keeps its place at the front of its priority. */
static _Noreturn void preempt(struct thread *t)
{
    struct runq *q = this_cpu_ptr(runq);
    t->waiter.state = THREAD_READY;
    runq_push_front(q, t);
    sched_run(runq_pop(q));
}

struct result sched_preempt(struct result result)
{
    struct thread *t = sched_current();
    if (!runq_beats(this_cpu_ptr(runq), t->priority))
        return result;
    t->result = result;
    preempt(t);
}

static __attribute__((noinline)) struct result slice_and_preempt(struct result result)
{
    timer_slice_begin(sched_current());
    return sched_preempt(result);
}

struct result sched_ready_preempt(struct thread *t, struct result result)
{
    if (__builtin_expect(ready(t), 0))
        return slice_and_preempt(result);
    return sched_preempt(result);
}

struct result sched_yield(void)
{
    struct thread *t = sched_current();
    struct runq *q = this_cpu_ptr(runq);
    if (!inbox_is_empty())
        inbox_run();
    if (t->waiter.state != THREAD_RUNNING) /* a message ended it */
        sched_block();
    if (!(q->bitmap & t->rivals))
        return result_ok(0);
    t->result = result_ok(0);
    t->waiter.state = THREAD_READY;
    runq_push(q, t);
    sched_run(runq_pop(q));
}

void sched_interrupted(void)
{
    struct thread *t = sched_current();
    if (t->waiter.state != THREAD_RUNNING)
        sched_block();
    if (runq_beats(this_cpu_ptr(runq), t->priority))
        preempt(t);
}

void sched_slice_end(void)
{
    struct thread *t = sched_current();
    struct runq *q = this_cpu_ptr(runq);
    struct thread *sliced = this_cpu(timer).sliced;
    /* Used up while somebody more urgent runs: the next of its equals comes first, or such a rhythm would starve it. */
    if (sliced != t && sliced->waiter.state == THREAD_READY && q->head[sliced->priority] == sliced) {
        runq_remove(q, sliced);
        runq_push(q, sliced);
    }
    if (t->waiter.state != THREAD_RUNNING || !runq_has(q, t->priority))
        return;
    struct thread *owner = t;
    if (t == this_cpu(timer).sliced) {
        owner = q->head[t->priority]; /* the next of them */
        t->waiter.state = THREAD_READY;
        runq_push(q, t); /* sched_interrupted finds it no longer running and picks */
    }
    timer_slice_begin(owner);
}

void sched_start(void)
{
    /* Stands for what ran before any thread did, so that `current` is never NULL. */
    static PERCPU(struct thread, nobody);
    struct thread *t = this_cpu_ptr(nobody);
    t->waiter.state = THREAD_STOPPED;
    this_cpu(percpu_head).current = t;
    sched_block();
}
