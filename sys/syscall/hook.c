/* SPDX-License-Identifier: MIT
 * The lists of hooks, their changes, and the walk around a call. */
#include "sys/syscall/hook.h"

#include "sys/syscall/table.h"

#include <arch/atomic.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/entry.h>

struct hooks {
    uint32_t count;
    struct syscall_hook *hook[HOOK_MAX];
};

static PERCPU_ZERO(struct hooks, hooks); /* [o] */
static uint32_t cpu_count = 1;           /* [I] */
static uint32_t taken;                   /* [a] hooks that are not OFF */

void hook_init(uint32_t cpus)
{
    cpu_count = cpus;
}

size_t hook_messages(uint32_t cpus)
{
    return HOOK_MAX * (cpus + 2);
}

enum hook_state hook_state(const struct syscall_hook *h)
{
    return (enum hook_state)load_acquire(&h->state); /* pairs: hook-state */
}

/* Threads inside calls know by place who saw them begin: bits above `place` move down by one. */
static void forget(uint32_t place)
{
    struct timer *tm = this_cpu_ptr(timer);
    uint32_t below = (1u << place) - 1;
    for (size_t i = 0; i < tm->count; i++) {
        struct syscall_context *c = &tm->threads[i]->call;
        c->hooks = (uint8_t)((c->hooks & below) | ((c->hooks >> 1) & ~below));
        if (!c->hooks && tm->threads[i]->resume == THREAD_HOOKED)
            tm->threads[i]->resume = 0;
    }
}

/* This CPU's list. */
static void change_here(struct syscall_hook *h, bool on)
{
    struct hooks *all = this_cpu_ptr(hooks);
    uint32_t place = 0;
    while (place < all->count && all->hook[place] != h)
        place++;
    if (on) {
        if (h->start)
            h->start();
        all->hook[all->count++] = h;
    } else if (place < all->count) {
        forget(place);
        all->count--;
        for (; place < all->count; place++)
            all->hook[place] = all->hook[place + 1];
    }
    entry_set_hooked(all->count != 0);
}

/* Boot CPU: one more CPU has changed its list; the last ends the change. */
static void run_done(const struct inbox_message *m)
{
    struct syscall_hook *h = (struct syscall_hook *)m->word[0];
    if (--h->waiting)
        return;
    if (!m->word[1])
        fetch_add_relaxed(&taken, UINT32_MAX);
    store_release(&h->state, m->word[1] ? HOOK_ON : HOOK_OFF); /* pairs: hook-state */
}

static void run_change(const struct inbox_message *m)
{
    struct inbox_message done = {run_done, {m->word[0], m->word[1]}};
    change_here((struct syscall_hook *)m->word[0], m->word[1]);
    inbox_send(0, &done, THREAD_PRIORITIES - 1);
}

/* Boot CPU: the same order for every CPU, since each sender's messages arrive in order. */
static void run_begin(const struct inbox_message *m)
{
    struct syscall_hook *h = (struct syscall_hook *)m->word[0];
    struct inbox_message change = {run_change, {m->word[0], m->word[1]}};
    h->waiting = cpu_count;
    for (uint32_t cpu = 0; cpu < cpu_count; cpu++)
        inbox_send(cpu, &change, THREAD_PRIORITIES - 1);
}

/* Whoever moves the state out of rest begins the change, by a message unless this is the boot CPU: so at boot, before
 * other CPUs run, each has the change in its inbox, at which it looks before it runs anything. */
static enum status begin(struct syscall_hook *h, bool on)
{
    uint32_t rest = on ? HOOK_OFF : HOOK_ON;
    uint32_t moving = on ? HOOK_STARTING : HOOK_STOPPING;
    if (!cmpxchg_acqrel(&h->state, &rest, moving)) /* pairs: hook-state */
        return rest == moving || rest == (on ? HOOK_ON : HOOK_OFF) ? STATUS_OK : STATUS_UNAVAILABLE;
    if (on && fetch_add_relaxed(&taken, 1) >= HOOK_MAX) {
        fetch_add_relaxed(&taken, UINT32_MAX);
        store_release(&h->state, HOOK_OFF); /* pairs: hook-state */
        return STATUS_RESOURCE_EXHAUSTED;
    }
    struct inbox_message m = {run_begin, {(uint64_t)h, on}};
    if (cpu_index() == 0)
        run_begin(&m);
    else
        inbox_send(0, &m, THREAD_PRIORITIES - 1);
    return STATUS_OK;
}

enum status hook_add(struct syscall_hook *h)
{
    return begin(h, true);
}

enum status hook_remove(struct syscall_hook *h)
{
    return begin(h, false);
}

/* The hooks that saw the call begin see its end. A list may have changed meanwhile, and then the bits did. */
static void run_post(struct thread *t, const struct result *result)
{
    struct hooks *all = this_cpu_ptr(hooks);
    t->resume = 0;
    for (uint32_t i = 0; i < all->count; i++)
        if ((t->call.hooks >> i & 1) && all->hook[i]->post)
            all->hook[i]->post(&t->call, result);
    t->call.hooks = 0;
}

/* True: refused. */
static bool run_pre(struct thread *t, struct result *result)
{
    struct hooks *all = this_cpu_ptr(hooks);
    t->call.hooks = (uint8_t)((1u << all->count) - 1);
    for (uint32_t i = 0; i < all->count; i++)
        if (all->hook[i]->pre && all->hook[i]->pre(&t->call, result))
            return true;
    return false;
}

struct result hook_around(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t number)
{
    struct thread *t = sched_current();
    struct result result;
    t->call = (struct syscall_context){.process = t->process,
                                       .thread = t,
                                       .entry_tsc = cpu_rdtsc_ordered(),
                                       .entry_ns = clock_now_ns(),
                                       .origin = t->frame.rip,
                                       .arguments = {a0, a1, a2, a3, a4, a5},
                                       .number = (uint32_t)number,
                                       .cpu = cpu_index()};
    if (!run_pre(t, &result)) {
        t->resume = THREAD_HOOKED;
        result = syscall_dispatch(t->call.number, t->call.arguments);
    }
    run_post(t, &result);
    return result;
}

void hook_end(struct thread *t)
{
    run_post(t, &t->result);
}
