/* SPDX-License-Identifier: MIT
 * The table of deadlines, the slice end and the tick, all served by one one-shot timer. */
#include "sched/timer.h"

#include "mm/page.h"
#include "sched/sched.h"
#include "sys/lib/panic.h"

#include <arch/clock.h>
#include <arch/memory.h>
#include <arch/platform.h>

PERCPU(struct timer, timer) = {.armed_ns = TIME_NEVER, .slice_ns = TIME_NEVER, .due_ns = TIME_NEVER};
static uint64_t slice_length_ns = 10000000; /* [I] */

void timer_set_slice(uint64_t ns)
{
    slice_length_ns = ns;
}

void timer_create(uint32_t cpu, size_t threads)
{
    struct timer *tm = cpu_ptr(cpu, timer);
    size_t bytes = threads * (sizeof(uint64_t) + sizeof(struct thread *)) + PAGE_SIZE;
    paddr_t p;
    panic_if(page_alloc(bytes / PAGE_SIZE, PAGE_SIZE, &p) != STATUS_OK);
    tm->deadlines = phys_to_virt(p);
    tm->threads = (struct thread **)(tm->deadlines + threads);
}

void timer_adopt(uint32_t cpu, struct thread *t)
{
    struct timer *tm = cpu_ptr(cpu, timer);
    t->deadline_ns = &tm->deadlines[tm->count];
    *t->deadline_ns = TIME_NEVER;
    tm->threads[tm->count++] = t;
}

void timer_arm_earlier(uint64_t ns)
{
    struct timer *tm = this_cpu_ptr(timer);
    if (ns >= tm->armed_ns)
        return;
    tm->armed_ns = ns;
    platform.timer_arm(ns);
}

bool timer_deadline_set_early(struct thread *t, uint64_t ns)
{
    if (ns <= clock_now_ns())
        return false;
    *t->deadline_ns = ns;
    timer_arm_earlier(ns);
    return true;
}

void timer_slice_begin(struct thread *owner)
{
    struct timer *tm = this_cpu_ptr(timer);
    tm->slice_ns = clock_now_ns() + slice_length_ns;
    tm->sliced = owner;
    timer_arm_earlier(tm->slice_ns);
}

static void due_set(struct timer *tm)
{
    uint64_t tick_ns = tm->period_ns ? tm->tick_ns : TIME_NEVER;
    uint64_t alarm_ns = tm->alarm ? tm->alarm_ns : TIME_NEVER;
    tm->due_ns = tick_ns < alarm_ns ? tick_ns : alarm_ns;
    timer_arm_earlier(tm->due_ns);
}

void timer_every(uint64_t period_ns, void (*tick)(uint64_t now_ns))
{
    struct timer *tm = this_cpu_ptr(timer);
    if (period_ns == tm->period_ns)
        return;
    tm->period_ns = period_ns;
    tm->tick = tick;
    if (period_ns)
        tm->tick_ns = clock_now_ns() / period_ns * period_ns + period_ns;
    due_set(tm);
}

void timer_alarm(uint64_t ns, void (*alarm)(uint64_t now_ns))
{
    struct timer *tm = this_cpu_ptr(timer);
    tm->alarm_ns = ns;
    tm->alarm = alarm;
    due_set(tm);
}

/* Calls tick and alarm, which may ask for others. */
static __attribute__((noinline)) void due_run(struct timer *tm, uint64_t now)
{
    if (tm->period_ns && tm->tick_ns <= now) {
        tm->tick_ns = now / tm->period_ns * tm->period_ns + tm->period_ns;
        tm->tick(now);
    }
    if (tm->alarm && tm->alarm_ns <= now) {
        void (*alarm)(uint64_t) = tm->alarm;
        tm->alarm = NULL;
        alarm(now);
    }
    due_set(tm);
}

/* Expires what is due and returns the earliest deadline left. */
static uint64_t expire_until(struct timer *tm, uint64_t now)
{
    uint64_t earliest = TIME_NEVER;
    for (size_t i = 0; i < tm->count; i++) {
        uint64_t d = tm->deadlines[i];
        if (d <= now) {
            tm->deadlines[i] = TIME_NEVER;
            thread_expire(tm->threads[i], now);
        } else if (d < earliest) {
            earliest = d;
        }
    }
    return earliest;
}

void timer_interrupt(void)
{
    struct timer *tm = this_cpu_ptr(timer);
    uint64_t now = clock_now_ns();
    tm->armed_ns = TIME_NEVER;
    uint64_t earliest = expire_until(tm, now);
    if (tm->slice_ns <= now) {
        tm->slice_ns = TIME_NEVER;
        sched_slice_end();
    }
    if (tm->due_ns <= now)
        due_run(tm, now);
    if (tm->due_ns < earliest)
        earliest = tm->due_ns;
    timer_arm_earlier(earliest < tm->slice_ns ? earliest : tm->slice_ns);
}
