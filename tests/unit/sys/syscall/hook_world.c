/* SPDX-License-Identifier: MIT
 * What arch, sched and the table of calls would supply to hook.c, for several CPUs on one host thread. */
#include "tests/unit/sys/syscall/hook_world.h"

#include "sys/lib/panic.h"
#include "sys/syscall/table.h"

#include <arch/clock.h>
#include <arch/entry.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE = 128 };

struct world world;
struct percpu_head percpu_head;
PERCPU(struct timer, timer);

/* The other CPUs' copies of everything that is PERCPU. */
extern char __start_percpu[], __stop_percpu[];
static char *copies[CPUS_MAX];
static struct thread *owners[CPUS_MAX][THREADS_PER_CPU];
static bool hooked[CPUS_MAX]; /* the entry register */

static struct queue {
    struct inbox_message m[QUEUE];
    uint32_t count;
} queues[CPUS_MAX];

static jmp_buf way_out; /* of the call under way */
static uint64_t random_state;

uint32_t world_random(uint32_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % n);
}

uint64_t clock_now_ns(void)
{
    static uint64_t now;
    return now += 10;
}

void entry_set_hooked(bool on)
{
    hooked[cpu_index()] = on;
}

bool world_is_hooked(void)
{
    return hooked[cpu_index()];
}

/* hook_messages is the promise of which the inbox is made. */
void inbox_send(uint32_t cpu, const struct inbox_message *m, uint8_t priority)
{
    struct queue *q = &queues[cpu];
    panic_if(cpu >= world.cpus || priority != THREAD_PRIORITIES - 1);
    panic_if(q->count >= hook_messages(world.cpus));
    q->m[q->count++] = *m;
}

void world_enter(uint32_t cpu)
{
    size_t bytes = (size_t)(__stop_percpu - __start_percpu);
    memcpy(copies[percpu_head.cpu], __start_percpu, bytes);
    memcpy(__start_percpu, copies[cpu], bytes);
    percpu_head.cpu = cpu;
    percpu_head.current = &world.threads[cpu][0];
}

void world_create(uint32_t cpus)
{
    world = (struct world){.cpus = cpus, .refusing = -1, .result = {STATUS_OK, 1}};
    for (uint32_t cpu = 0; cpu < CPUS_MAX; cpu++) {
        copies[cpu] = calloc(1, (size_t)(__stop_percpu - __start_percpu));
        for (uint32_t i = 0; i < THREADS_PER_CPU; i++) {
            world.threads[cpu][i].process = &world.process;
            owners[cpu][i] = &world.threads[cpu][i];
        }
        world_enter(cpu);
        timer.threads = owners[cpu];
        timer.count = THREADS_PER_CPU;
    }
    world_enter(0);
    hook_init(cpus);
}

static void note(char what, int hook)
{
    size_t n = strlen(world.trace);
    panic_if(n + 3 > TRACE_BYTES);
    world.trace[n++] = what;
    if (hook >= 0)
        world.trace[n] = (char)('0' + hook);
}

struct result syscall_dispatch(uint32_t number, const uint64_t a[6])
{
    (void)number, (void)a;
    note('*', -1);
    if (world.inside)
        world.inside();
    if (world.blocks)
        longjmp(way_out, 1);
    return world.result;
}

/* As the entry and the way out do it. */
bool world_call(uint32_t thread, uint32_t number, struct result *result)
{
    struct thread *t = &world.threads[cpu_index()][thread];
    const uint64_t a[6] = {number, 2, 3, 4, 5, 6};
    percpu_head.current = t;
    memset(world.trace, 0, sizeof(world.trace));
    t->frame.rip = 0x201000 + number;
    if (setjmp(way_out))
        return false;
    if (hooked[cpu_index()])
        *result = hook_around(a[0], a[1], a[2], a[3], a[4], a[5], number);
    else
        *result = syscall_dispatch(number, a);
    panic_if(t->resume || t->call.hooks);
    return true;
}

void world_wake(uint32_t thread, struct result result)
{
    struct thread *t = &world.threads[cpu_index()][thread];
    percpu_head.current = t;
    memset(world.trace, 0, sizeof(world.trace));
    t->result = result;
    if (t->resume)
        hook_end(t);
    panic_if(t->resume || t->call.hooks);
}

const struct inbox_message *world_peek(void)
{
    return queues[cpu_index()].count ? &queues[cpu_index()].m[0] : NULL;
}

bool world_deliver_one(void)
{
    struct queue *q = &queues[cpu_index()];
    struct inbox_message m = q->m[0];
    if (!q->count)
        return false;
    memmove(q->m, q->m + 1, --q->count * sizeof(m));
    m.run(&m);
    return true;
}

uint32_t world_messages(void)
{
    uint32_t count = 0;
    for (uint32_t cpu = 0; cpu < world.cpus; cpu++)
        count += queues[cpu].count;
    return count;
}

void world_deliver(void)
{
    uint32_t here = cpu_index();
    while (world_messages()) {
        world_enter(world_random(world.cpus));
        (void)world_deliver_one();
    }
    world_enter(here);
}

void world_switch(int hook, bool on)
{
    struct syscall_hook *h = &hooks_of_test[hook];
    panic_if((on ? hook_add(h) : hook_remove(h)) != STATUS_OK);
    world_deliver();
    panic_if(hook_state(h) != (on ? HOOK_ON : HOOK_OFF));
}

static bool note_pre(int hook, const struct syscall_context *c, struct result *result)
{
    note('<', hook);
    world.context = *c;
    if (world.refusing != hook)
        return false;
    *result = (struct result){STATUS_PERMISSION_DENIED, (uint64_t)hook};
    return true;
}

static void note_post(int hook, const struct syscall_context *c, const struct result *result)
{
    note('>', hook);
    world.context = *c;
    world.seen = *result;
}

/* A hook's functions are not told which hook they are. */
#define NUMBERED(i)                                                                                                    \
    static bool pre_##i(const struct syscall_context *c, struct result *result)                                        \
    {                                                                                                                  \
        return note_pre(i, c, result);                                                                                 \
    }                                                                                                                  \
    static void post_##i(const struct syscall_context *c, const struct result *result)                                 \
    {                                                                                                                  \
        note_post(i, c, result);                                                                                       \
    }                                                                                                                  \
    static void start_##i(void)                                                                                        \
    {                                                                                                                  \
        note('^', i);                                                                                                  \
    }
NUMBERED(0)
NUMBERED(1)
NUMBERED(2)
NUMBERED(3)
NUMBERED(4)
NUMBERED(5)
NUMBERED(6)
NUMBERED(7)
NUMBERED(8)

#define HOOK(i)                                                                                                        \
    {                                                                                                                  \
        .name = #i, .pre = pre_##i, .post = post_##i, .start = start_##i                                               \
    }
struct syscall_hook hooks_of_test[HOOKS] = {HOOK(0), HOOK(1), HOOK(2), HOOK(3), HOOK(4),
                                            HOOK(5), HOOK(6), HOOK(7), HOOK(8)};
