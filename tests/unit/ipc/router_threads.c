/* SPDX-License-Identifier: MIT
 * The router with real threads as CPUs, under ThreadSanitizer: all compete for a few ids and names, and send and post
 * to whoever has them, from handlers too, with deadlines that pass at any moment. An id and a name belong to one at a
 * time; a request is served on its module's CPU, once, with the payload that belongs to it; whoever was told was owed
 * an answer, and in the end nobody is owed one. Exit status 0 if all held; the first broken rule is printed and ends
 * the program with 1. */
#include "ipc/router_internal.h"
#include "sched/inbox.h"
#include "tests/unit/cpus/cpus.h"

#include <arch/atomic.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CPUS = CPU_MAX, TURNS = 100000, IDS = 6, NAMES = 4, TOYS = 3, ASKS = 12 };

struct toy {
    struct router_module module;
    uint32_t name;  /* NAMES: not registered */
    uint32_t depth; /* its handlers on the stack */
};

struct ask {
    struct router_message m;
    char payload[24], answer[24];
    bool owed;
};

/* What a thread has besides its per-CPU variables. */
static struct cpu {
    _Alignas(CACHE_LINE) uint64_t random;
    uint64_t numbered, served, told, outcomes[STATUS_COUNT], given_up;
    struct toy toys[TOYS];
    struct ask posts[ASKS], sends[ASKS];
    uint32_t owed;
} cpus[CPUS];

static uint32_t id_holders[IDS], name_holders[NAMES]; /* [a] */
static uint32_t busy_cpus = CPUS;                     /* [a] that have not done all their turns, or are owed answers */
static const char *const names[NAMES] = {"clock", "memory", "bus", "scheduler"};

static void expect(bool holds, const char *rule)
{
    if (!holds) {
        fprintf(stderr, "router_threads: broken: %s\n", rule);
        exit(1);
    }
}

static struct cpu *this(void)
{
    return &cpus[cpu_index()];
}

static uint32_t random_below(uint32_t n)
{
    uint64_t *random = &this()->random;
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*random >> 33) % n);
}

uint64_t clock_now_ns(void)
{
    return cpu_rdtsc();
}

void cpu_pause(void)
{
    sched_yield();
}

static void look_at_inbox(void)
{
    if (inbox_is_empty())
        sched_yield();
    cpu_look(1);
}

static void hold(uint32_t *holder)
{
    expect(xchg_acqrel(holder, 1) == 0, "an id and a name have one owner");
}

static void come(struct toy *t)
{
    uint32_t name = random_below(NAMES);
    t->module.id = random_below(IDS);
    t->module.name = names[name];
    enum status status = router_register(&t->module);
    if (status == STATUS_OK) {
        hold(&id_holders[t->module.id]);
        hold(&name_holders[name]);
        t->name = name;
    }
    expect(status == STATUS_OK || status == STATUS_ALREADY_EXISTS || status == STATUS_FAILED_PRECONDITION, "status");
}

static void go(struct toy *t)
{
    store_release(&id_holders[t->module.id], 0);
    store_release(&name_holders[t->name], 0);
    t->name = NAMES;
    expect(router_unregister(&t->module) == STATUS_OK, "one that is there can go");
}

static void come_or_go(void)
{
    struct toy *t = &this()->toys[random_below(TOYS)];
    if (t->module.registered)
        go(t);
    else if (t->depth == 0)
        come(t);
}

static void fill(struct ask *a)
{
    a->m.deadline_ns = random_below(3) ? UINT64_MAX : clock_now_ns() + random_below(300000);
    a->m.payload_bytes = (size_t)snprintf(a->payload, sizeof(a->payload), "%u.%u", cpu_index(), random_below(1000000));
    a->m.payload = a->payload;
    a->m.answer = a->answer;
    a->m.room = sizeof(a->answer);
    memset(a->answer, 0, sizeof(a->answer));
}

static void check(const struct ask *a, enum status outcome)
{
    expect(outcome < STATUS_COUNT && !router_is_busy(&a->m), "an outcome");
    expect(outcome != STATUS_OK || strcmp(a->answer, a->payload) == 0, "the answer belongs to the request");
    this()->outcomes[outcome]++;
}

static void done(struct router_message *m, enum status outcome)
{
    struct ask *a = m->context;
    expect(a >= this()->posts && a < this()->posts + ASKS, "told on the CPU that posted");
    expect(a->owed, "told once");
    a->owed = false;
    this()->owed--;
    this()->told++;
    check(a, outcome);
}

static void post(void)
{
    struct ask *a = &this()->posts[random_below(ASKS)];
    if (router_is_busy(&a->m))
        return;
    fill(a);
    a->m.context = a;
    a->m.done = done;
    a->m.priority = (uint8_t)random_below(ROUTER_PRIORITIES);
    this()->numbered++;
    if (router_post(random_below(IDS), &a->m, (struct router_from){0}) == STATUS_OK) {
        a->owed = true;
        this()->owed++;
    }
}

static void send(void)
{
    struct ask *a = &this()->sends[random_below(ASKS)];
    if (router_is_busy(&a->m))
        return;
    fill(a);
    this()->numbered++;
    enum status status = router_send(random_below(IDS), &a->m, (struct router_from){0});
    if (router_is_busy(&a->m)) {
        expect(status == STATUS_DEADLINE_EXCEEDED, "given up at its deadline only");
        this()->given_up++;
    } else if (!a->m.given_up) {
        check(a, status);
    }
}

static void look_up(void)
{
    uint32_t id, name = random_below(NAMES);
    if (router_lookup(names[name], strlen(names[name]), &id) == STATUS_OK)
        expect(id < IDS, "an id that somebody may have");
    const char *text = router_module_name(random_below(IDS));
    for (name = 0; text && name < NAMES && strcmp(text, names[name]) != 0;)
        name++;
    expect(name < NAMES, "a name that somebody may have");
}

static enum status serve(struct router_module *module, struct router_message *m)
{
    struct toy *t = module->context;
    expect(module->cpu == cpu_index(), "served at home");
    this()->served++;
    t->depth++;
    router_write(m, "%.*s", (int)m->payload_bytes, m->payload);
    switch (random_below(16)) {
    case 0:
        send();
        break;
    case 1:
        post();
        break;
    case 2:
        if (module->registered)
            go(t);
        break;
    default:
        break;
    }
    t->depth--;
    return m->posted && random_below(4) == 0 ? ROUTER_LATER : STATUS_OK;
}

static void turn(void)
{
    uint32_t what = random_below(64);
    if (what < 16)
        post();
    else if (what < 24)
        send();
    else if (what < 26)
        come_or_go();
    else if (what < 28)
        look_up();
    else if (what < 34)
        router_answer(&this()->toys[what % TOYS].module, STATUS_OK);
    else
        look_at_inbox();
}

static bool is_owed(void)
{
    bool owed = this()->owed > 0;
    for (uint32_t i = 0; i < ASKS; i++)
        owed |= router_is_busy(&this()->sends[i].m);
    return owed;
}

static void *run(void *arg)
{
    struct cpu *c = arg;
    cpu_become((uint32_t)(c - cpus));
    c->random = cpu_index() + 1;
    for (uint32_t i = 0; i < TOYS; i++)
        c->toys[i] = (struct toy){.module = {.handle = serve, .context = &c->toys[i]}, .name = NAMES};
    for (uint32_t i = 0; i < TURNS; i++)
        turn();
    for (uint32_t i = 0; i < TOYS; i++)
        if (c->toys[i].module.registered)
            go(&c->toys[i]);
    while (is_owed())
        look_at_inbox();
    (void)fetch_add_relaxed(&busy_cpus, (uint32_t)-1);
    while (load_acquire(&busy_cpus) > 0)
        look_at_inbox();
    expect(router_valid() && !is_owed(), "in the end all is in order");
    return NULL;
}

int main(void)
{
    pthread_t threads[CPUS];
    struct cpu sum = {0};
    cpus_create(CPUS);
    for (uint32_t cpu = 0; cpu < CPUS; cpu++)
        router_create(cpu);
    for (uint32_t cpu = 0; cpu < CPUS; cpu++)
        pthread_create(&threads[cpu], NULL, run, &cpus[cpu]);
    for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
        pthread_join(threads[cpu], NULL);
        sum.numbered += cpus[cpu].numbered;
        sum.served += cpus[cpu].served;
        sum.told += cpus[cpu].told;
        sum.given_up += cpus[cpu].given_up;
        for (uint32_t i = 0; i < STATUS_COUNT; i++)
            sum.outcomes[i] += cpus[cpu].outcomes[i];
    }
    expect(router_messages_sent() == sum.numbered, "each request has a number");
    printf(
        "router_threads: ok, %lu requests, %lu served, %lu told; %lu OK, %lu UNAVAILABLE, %lu too late, %lu given up\n",
        sum.numbered, sum.served, sum.told, sum.outcomes[STATUS_OK], sum.outcomes[STATUS_UNAVAILABLE],
        sum.outcomes[STATUS_DEADLINE_EXCEEDED], sum.given_up);
    return 0;
}
