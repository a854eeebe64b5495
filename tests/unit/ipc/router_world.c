/* SPDX-License-Identifier: MIT
 * Whose turn it is among the CPUs below the router (tests/unit/cpus/), also while one of them waits; the clock. */
#include "tests/unit/ipc/router_world.h"

#include "ipc/router_internal.h"
#include "sched/inbox.h"
#include "sys/lib/panic.h"
#include "tests/unit/cpus/cpus.h"

#include <arch/clock.h>
#include <arch/cpu.h>

enum { PATIENCE = 100000 };

static bool waiting[CPUS];

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

void world_note(char what)
{
    size_t n = strlen(world_trace);
    panic_if(n + 1 >= sizeof(world_trace));
    world_trace[n] = what;
    world_trace[n + 1] = '\0';
}

void world_enter(uint32_t cpu)
{
    panic_if(waiting[cpu]);
    cpu_become(cpu);
}

uint32_t world_messages(uint32_t cpu)
{
    return (uint32_t)channel_len(&cpu_ptr(cpu, inbox)->channel);
}

/* There is one wake, and one message of it is under way. */
bool world_step(void)
{
    bool any = world_messages(cpu_index()) > 0;
    panic_if(world_messages(cpu_index()) > 1);
    cpu_look(1);
    return any;
}

static bool others_step(void)
{
    uint32_t here = cpu_index();
    bool any = false;
    for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
        if (cpu == here && waiting[cpu]) /* that one is on its way back */
            continue;
        cpu_become(cpu);
        any |= waiting[cpu] ? router_take_request(this_cpu_ptr(router_shard)) : world_step();
    }
    cpu_become(here);
    return any;
}

void world_others(void)
{
    (void)others_step();
}

/* It waits in the middle of whatever it does, and is not entered from outside meanwhile. */
void cpu_pause(void)
{
    static uint32_t times;
    uint32_t here = cpu_index();
    bool before = waiting[here];
    panic_if(++times > PATIENCE); /* nobody will answer */
    waiting[here] = true;
    world_pause();
    cpu_become(here);
    waiting[here] = before;
}

void world_settle(void)
{
    while (others_step())
        ;
}

bool world_is_valid(void)
{
    uint32_t here = cpu_index();
    bool valid = true;
    for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
        cpu_become(cpu);
        valid &= router_valid();
    }
    cpu_become(here);
    return valid;
}

void world_begin(void)
{
    cpus_create(CPUS);
    for (uint32_t cpu = 0; cpu < CPUS; cpu++)
        router_create(cpu);
    world_now = 1000;
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
    uint32_t here = cpu_index();
    t->module.name = name;
    t->module.id = id;
    t->module.handle = toy_handle;
    t->module.context = t;
    world_enter(cpu);
    enum status status = router_register(&t->module);
    cpu_become(here);
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
