/* SPDX-License-Identifier: MIT
 * The CPUs below the router: per-CPU copies, inboxes, clock. */
#include "tests/unit/ipc/router_world.h"

#include "ipc/router_internal.h"
#include "sched/inbox.h"
#include "sched/thread.h"
#include "sys/lib/panic.h"

#include <arch/clock.h>
#include <arch/cpu.h>

enum { INBOX = 8, PATIENCE = 10000 };

extern char __start_percpu[], __stop_percpu[];
PERCPU(struct percpu_head, percpu_head);
_Thread_local uintptr_t percpu_here;

static char *copies[CPUS];
static uintptr_t offsets[CPUS];
static bool waiting[CPUS];
static struct queue {
    struct inbox_message m[INBOX];
    uint32_t count;
} queues[CPUS];

uint64_t world_now;
void (*world_pause)(void) = world_others;
char world_trace[4096];

uint64_t clock_now_ns(void)
{
    return world_now;
}

uint64_t cpu_rdtsc(void)
{
    return world_now;
}

uint64_t percpu_offset(uint32_t cpu)
{
    return cpu < CPUS ? offsets[cpu] : 0;
}

/* A wake has one message under way. */
void inbox_send(uint32_t cpu, const struct inbox_message *m, uint8_t priority)
{
    struct queue *q = &queues[cpu];
    panic_if(cpu >= CPUS || priority != THREAD_PRIORITIES - 1 || q->count > 0);
    q->m[q->count++] = *m;
}

void world_note(char what)
{
    size_t n = strlen(world_trace);
    panic_if(n + 1 >= sizeof(world_trace));
    world_trace[n] = what;
}

void world_enter(uint32_t cpu)
{
    panic_if(cpu >= CPUS || waiting[cpu]);
    percpu_here = offsets[cpu];
}

bool world_step(void)
{
    struct queue *q = &queues[cpu_index()];
    struct inbox_message m = q->m[0];
    if (!q->count)
        return false;
    memmove(q->m, q->m + 1, --q->count * sizeof(m));
    m.run(&m);
    return true;
}

static bool others_step(void)
{
    uintptr_t here = percpu_here;
    bool any = false;
    for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
        percpu_here = offsets[cpu];
        any |= waiting[cpu] ? router_take_request(this_cpu_ptr(router_shard)) : world_step();
    }
    percpu_here = here;
    return any;
}

/* As they may: one that waits serves requests only. */
void world_others(void)
{
    (void)others_step();
}

/* One waits in the middle of whatever it does: it is not entered from outside meanwhile. */
void cpu_pause(void)
{
    static uint32_t times;
    uintptr_t here = percpu_here;
    bool before = waiting[cpu_index()];
    panic_if(++times > PATIENCE); /* nobody will answer */
    waiting[cpu_index()] = true;
    world_pause();
    percpu_here = here;
    waiting[cpu_index()] = before;
}

void world_settle(void)
{
    while (others_step())
        ;
}

uint32_t world_messages(uint32_t cpu)
{
    return queues[cpu].count;
}

bool world_is_valid(void)
{
    uintptr_t here = percpu_here;
    bool valid = true;
    for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
        percpu_here = offsets[cpu];
        valid &= router_valid();
    }
    percpu_here = here;
    return valid;
}

void world_begin(void)
{
    size_t bytes = (size_t)(__stop_percpu - __start_percpu);
    for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
        copies[cpu] = aligned_alloc(CACHE_LINE, (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
        memcpy(copies[cpu], __start_percpu, bytes);
        offsets[cpu] = (uintptr_t)copies[cpu] - (uintptr_t)__start_percpu;
        cpu_ptr(cpu, percpu_head)->cpu = cpu;
        router_create(cpu);
    }
    world_now = 1000;
    world_enter(0);
}

static enum status toy_handle(struct router_module *module, struct router_message *m)
{
    struct toy *t = module->context;
    panic_if(module->cpu != cpu_index() && module->registered);
    t->calls++;
    world_note(m->type[0]);
    return t->serve ? t->serve(t, m) : STATUS_OK;
}

enum status world_register(struct toy *t, uint32_t cpu, uint32_t id, const char *name)
{
    uintptr_t here = percpu_here;
    t->module.name = name;
    t->module.id = id;
    t->module.handle = toy_handle;
    t->module.context = t;
    world_enter(cpu);
    enum status status = router_register(&t->module);
    percpu_here = here;
    return status;
}

void world_toy(struct toy *t, uint32_t cpu, uint32_t id, const char *name)
{
    must(world_register(t, cpu, id, name), OK);
}

static void done(struct router_message *m, enum status outcome)
{
    struct ask *a = m->context;
    panic_if(router_is_busy(m) || router_sender_cpu(m) != cpu_index());
    a->told++;
    a->outcome = outcome;
    world_note((char)(m->type[0] - 'A' + 'a'));
    if (a->then)
        a->then(a);
}

void world_ask(struct ask *a, char type)
{
    *a = (struct ask){.m = {.type = {type}, .deadline_ns = UINT64_MAX, .done = done}};
    a->m.context = a;
    a->m.answer = a->answer;
    a->m.room = sizeof(a->answer);
}

enum status world_send(uint32_t id, struct ask *a)
{
    return router_send(id, &a->m, (struct router_from){FROM_PROCESS, 7});
}

enum status world_post(uint32_t id, struct ask *a, enum router_priority priority)
{
    a->m.priority = (uint8_t)priority;
    return router_post(id, &a->m, (struct router_from){FROM_PROCESS, 7});
}
