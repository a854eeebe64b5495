/* SPDX-License-Identifier: MIT
 * What is interrupted may be anything, also a way into or out of the kernel, where RSP and RBP are the user's. So the
 * place says where to look for the thread's registers (user_place): at the way in of a call they are still in the CPU,
 * at an interrupt's on the stack, otherwise in struct thread. */
#include "sys/sampler.h"

#include "arch/x86_64/asm.h"
#include "mm/page.h"
#include "sched/sched.h"
#include "sys/abi/layout.h"
#include "sys/abi/profile.h"
#include "sys/chain.h"
#include "sys/lib/string.h"
#include "sys/syscall/table.h"

#include <arch/apic.h>
#include <arch/atomic.h>
#include <arch/clock.h>
#include <arch/entry.h>
#include <arch/percpu.h>

#define RING_WORDS 65536 /* a CPU's; at 20000 samples a second, of 20 words, a sixth of a second */

extern const char *const syscall_sites[SYSCALL_TABLE];

struct sampled {
    struct sample_ring ring;
    bool asked;    /* [a] the sampler has sent an NMI that has not come */
    uint64_t late; /* [w] the sampler's */
};

static PERCPU_ZERO(struct sampled, sampled);
static bool running;                        /* [a] */
static uint64_t interval_ns;                /* [I] */
static uint32_t cpu_count;                  /* [I] */
static uint32_t sender = SAMPLER_NONE;      /* [I] */
static uint64_t due_ns;                     /* [o] the sender's */
static uint64_t drawn = 88172645463325252u; /* [o] the sender's; never 0 */

/* The thread on whose behalf the CPU works at `f`; NULL: it idles, or no thread has run yet. Between two threads it
 * works for the one that ran. */
static const struct thread *worked_for(const struct frame *f)
{
    const struct thread *t = sched_current();
    bool idles = inbox_level() == INBOX_POLLING || inbox_level() == INBOX_HALTED;
    if (!t || !t->process)
        return NULL;
    return (f->cs & 3) || t->waiter.state == THREAD_RUNNING || !idles ? t : NULL;
}

static struct place place_of(const struct frame *f)
{
    return (struct place){f->rip, f->rsp, f->rbp};
}

/* Where a call by SYSENTER returns to: its number says so (entry.S). */
static uint64_t sysenter_site(uint64_t number)
{
    if (number < SYSCALL_BUILT_IN)
        return (uint64_t)syscall_sites[number] + SYSENTER_SITE_SHIFT;
    return number < SYSCALL_MAX ? USER_CALL_SITE + (number << USER_CALL_SHIFT) + SYSENTER_SITE_SHIFT : 0;
}

/* On a way in that has not saved them: the registers of the thread. RCX is its return address where SYSCALL came in;
 * SYSENTER tells none, and the stack in R11. */
static struct place entering_place(const struct frame *f, const struct thread *t)
{
    uint64_t rsp = f->rsp == (uint64_t)t ? this_cpu(percpu_head).user_rsp : f->rsp;
    if (!entry_is_inside(f->rip))
        return (struct place){f->rcx, rsp, f->rbp};
    return (struct place){sysenter_site(f->rax), f->r11 == USER_RFLAGS ? t->frame.rsp : f->r11, f->rbp};
}

/* Where the thread for which the CPU works is in its own program; rip 0: that cannot be said. */
static struct place user_place(const struct frame *f, const struct thread *t, bool on_stack, uint64_t top)
{
    static const struct place unknown = {0};
    if (f->cs & 3)
        return place_of(f);
    if (entry_is_unsaved(f->rip) && entry_is_passage(f->rip))
        return entering_place(f, t);
    if (!on_stack && !entry_is_passage(f->rip))
        return unknown; /* an exception's stack: what was interrupted there may have been a way in */
    if (entry_is_unsaved(f->rip)) {
        const uint64_t *pushed = (const uint64_t *)top - 5; /* RIP CS RFLAGS RSP SS */
        return (struct place){pushed[0], pushed[3], f->rbp};
    }
    return place_of(&t->frame);
}

static size_t encode(uint32_t *words, const struct frame *f, const struct thread *t, const struct chain *kernel,
                     const struct chain *user)
{
    size_t n = PROFILE_SAMPLE_WORDS + kernel->count + user->count;
    uint64_t now = clock_now_ns();
    uint32_t flags = (f->cs & 3 ? PROFILE_IN_USER : 0) | (kernel->cut || user->cut ? PROFILE_CUT : 0);
    words[0] = PROFILE_HEAD(PROFILE_SAMPLE, n, cpu_index(), flags);
    words[1] = (uint32_t)this_cpu(sampled).ring.taken;
    words[2] = (uint32_t)now;
    words[3] = (uint32_t)(now >> 32);
    words[4] = t ? t->process->index | (uint32_t)(t - t->process->threads) << 16 : PROFILE_NOBODY;
    words[5] = kernel->count | user->count << 8;
    memcpy(words + PROFILE_SAMPLE_WORDS, kernel->frames, kernel->count * sizeof(uint32_t));
    memcpy(words + PROFILE_SAMPLE_WORDS + kernel->count, user->frames, user->count * sizeof(uint32_t));
    return n;
}

/* The kernel's chain. A way in calls C with an empty stack, so its return address is the stack's first word. */
static void take_kernel(struct chain *c, const struct frame *f, bool on_stack, uint64_t top, bool works)
{
    struct place at = place_of(f);
    bool frames = on_stack && !entry_is_passage(f->rip) && !entry_is_unsaved(f->rip);
    chain_kernel(c, &at, top, frames);
    uint64_t first;
    memcpy(&first, (const char *)top - sizeof(first), sizeof(first));
    if (works && frames && f->rsp <= top - sizeof(first) && entry_is_passage(first))
        chain_entry(c, first);
}

static void take(const struct frame *f)
{
    uint32_t words[PROFILE_SAMPLE_WORDS_MAX];
    struct chain kernel = {0}, user = {0};
    uint64_t top = this_cpu(percpu_head).stack_top;
    bool on_stack = f->rsp <= top && f->rsp >= top - KERNEL_STACK_BYTES;
    const struct thread *t = worked_for(f);
    if (!(f->cs & 3))
        take_kernel(&kernel, f, on_stack, top, t);
    if (t) {
        struct place at = user_place(f, t, on_stack, top);
        chain_user(&user, t->process, &at);
    }
    sample_ring_put(&this_cpu_ptr(sampled)->ring, words, encode(words, f, t, &kernel, &user));
}

bool sampler_nmi(const struct frame *f)
{
    struct sampled *s = this_cpu_ptr(sampled);
    bool ours = load_relaxed(&s->asked);
    if (s->ring.words && load_relaxed(&running))
        take(f);
    if (ours)
        store_relaxed(&s->asked, false);
    return ours;
}

/* Between a half and one and a half of the interval, by Marsaglia's xorshift. */
static uint64_t draw_interval(void)
{
    drawn ^= drawn << 13;
    drawn ^= drawn >> 7;
    drawn ^= drawn << 17;
    return interval_ns / 2 + drawn % interval_ns;
}

static void ask(uint32_t cpu)
{
    struct sampled *s = cpu_ptr(cpu, sampled); /* remote: `asked` is handed to and fro, `late` is the sender's */
    if (sched_is_parked(cpu))
        return;
    if (load_relaxed(&s->asked)) {
        s->late++;
        return;
    }
    store_relaxed(&s->asked, true); /* an NMI that comes first takes the sample, and the one sent is one more */
    apic_send_nmi(cpu_ptr(cpu, percpu_head)->apic_id);
}

/* On the sender, out of its timer's interrupt. */
static void ask_all(uint64_t now_ns)
{
    if (!load_relaxed(&running))
        return;
    for (uint32_t cpu = 0; cpu < cpu_count; cpu++)
        if (cpu != sender)
            ask(cpu);
    due_ns += draw_interval();
    if (due_ns <= now_ns)
        due_ns = now_ns + draw_interval(); /* the host had the CPU meanwhile */
    timer_alarm(due_ns, ask_all);
}

static void run_start(const struct inbox_message *m)
{
    (void)m;
    sched_park(true); /* halts between two alarms, whatever idle= says */
    due_ns = clock_now_ns() + draw_interval();
    timer_alarm(due_ns, ask_all);
}

/* The last CPU where no process lives; never the first, which has the consoles. */
static uint32_t find_sender(const struct process *processes, uint32_t count)
{
    for (uint32_t cpu = cpu_count; --cpu > 0;) {
        uint32_t i = 0;
        while (i < count && processes[i].cpu != cpu)
            i++;
        if (i == count)
            return cpu;
    }
    return SAMPLER_NONE;
}

enum status sampler_init(uint64_t hz, uint32_t cpus, const struct process *processes, uint32_t count)
{
    cpu_count = cpus;
    interval_ns = hz ? 1000000000 / hz : 0;
    if (hz && (sender = find_sender(processes, count)) == SAMPLER_NONE)
        return STATUS_NOT_FOUND;
    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        paddr_t p;
        if (cpu == sender)
            continue;
        enum status s = page_alloc(RING_WORDS * sizeof(uint32_t) / PAGE_SIZE, PAGE_SIZE, &p);
        if (s != STATUS_OK)
            return s;
        sample_ring_init(&cpu_ptr(cpu, sampled)->ring, phys_to_virt(p), RING_WORDS); /* remote: it is not running yet */
    }
    return STATUS_OK;
}

void sampler_start(void)
{
    const struct inbox_message m = {run_start, {0}};
    store_relaxed(&running, true);
    if (sender != SAMPLER_NONE)
        inbox_send(sender, &m, THREAD_PRIORITIES - 1);
}

void sampler_stop(void)
{
    store_relaxed(&running, false);
}

uint32_t sampler_cpu(void)
{
    return sender;
}

struct sample_ring *sampler_ring(uint32_t cpu)
{
    return &cpu_ptr(cpu, sampled)->ring; /* remote: a ring is for two */
}

uint64_t sampler_late(uint32_t cpu)
{
    return cpu_ptr(cpu, sampled)->late; /* remote: the sender has stopped */
}
