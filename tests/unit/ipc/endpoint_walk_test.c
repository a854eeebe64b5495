/* SPDX-License-Identifier: MIT
 * A random walk over all calls with all objects, deaths and restarts, on one CPU and on two with the processes spread
 * over them at random; messages to a CPU arrive in order, at any time. After each step: the invariants
 * (endpoint_check.c), and the oracle (endpoint_oracle.c). */
#include "ipc/endpoint_internal.h"
#include "tests/unit/ipc/endpoint_oracle.h"

enum { EPISODES = 9000, STEPS = 120, EVENT_MIN = 20 };

static uint64_t some_deadline(void)
{
    switch (world_random(8)) {
    case 0:
        return world.now_ns - 1 + world_random(3); /* past, now, next */
    case 1:
        return world.now_ns + 1 + world_random(100);
    case 2:
    case 3:
        return world.now_ns + 500 + world_random(1000);
    default:
        return TIME_NEVER;
    }
}

static uint64_t some_bytes(void)
{
    return world_random(4) ? world_random(40) : world_random(BUFFER_BYTES);
}

#define ONE_OF(kinds) kinds[world_random(sizeof(kinds) / sizeof(kinds[0]))]

/* Ends of channels come first among a process's objects, and then its group; the idlers have none, and supervise. */
static struct object *some_object(const struct process *p)
{
    uint32_t ends = 0;
    while (p->objects[ends]->type <= IMAGE_OBJECT_CHANNEL_INITIATOR)
        ends++;
    if (!ends && world_random(3))
        return &world.supervised[world_random(IDLER_PROCESS)].object;
    return p->objects[world_random(world_random(8) && ends ? ends + 1 : p->object_count)];
}

static enum call_kind initiator_kind(const struct endpoint *e)
{
    static const enum call_kind any[] = {CALL_TRANSACT, CALL_ASYNC_TRANSACT, CALL_ASYNC_COMPLETE, CALL_ASYNC_CANCEL,
                                         CALL_NOTIFY,   CALL_SET_PEER_USER,  CALL_TAKE,           CALL_WAIT};
    static const enum call_kind idle[] = {CALL_TRANSACT, CALL_TRANSACT, CALL_ASYNC_TRANSACT};
    if (!world_random(4))
        return ONE_OF(any);
    if (e->async == ASYNC_DONE)
        return CALL_ASYNC_COMPLETE;
    if (endpoint_is_busy(e))
        return world_random(4) ? CALL_YIELD : CALL_WAIT;
    return ONE_OF(idle);
}

static enum call_kind handler_kind(const struct endpoint *h)
{
    static const enum call_kind any[] = {
        CALL_READ, CALL_RESPOND, CALL_RESPOND_AND_WAIT, CALL_RESPOND_AND_WAIT, CALL_NOTIFY, CALL_SET_PEER_USER,
        CALL_TAKE, CALL_WAIT};
    if (!world_random(4))
        return ONE_OF(any);
    if (h->reading & READING_BEGUN)
        return world_random(2) ? CALL_RESPOND : CALL_RESPOND_AND_WAIT;
    return endpoint_is_pending(h) ? CALL_READ : CALL_RESPOND_AND_WAIT;
}

static enum call_kind task_kind(const struct task *t)
{
    static const enum call_kind any[] = {CALL_START, CALL_JOIN, CALL_WAIT, CALL_TERMINATE};
    static const enum call_kind sensible[] = {
        [TASK_READY] = CALL_START, [TASK_RUNNING] = CALL_YIELD, [TASK_ENDED] = CALL_JOIN};
    return world_random(8) ? sensible[t->state] : ONE_OF(any);
}

static enum call_kind some_kind(const struct object *o)
{
    static const enum call_kind group[] = {CALL_GROUP_ADD,        CALL_GROUP_ADD,        CALL_GROUP_ADD,
                                           CALL_RESPOND_AND_WAIT, CALL_RESPOND_AND_WAIT, CALL_RESPOND_AND_WAIT,
                                           CALL_RESPOND_AND_WAIT, CALL_GROUP_REMOVE,     CALL_WAIT};
    switch (o->type) {
    case IMAGE_OBJECT_CHANNEL_INITIATOR:
        return initiator_kind((const struct endpoint *)o);
    case IMAGE_OBJECT_CHANNEL_HANDLER:
        return handler_kind((const struct endpoint *)o);
    case IMAGE_OBJECT_WAIT_GROUP:
        return ONE_OF(group);
    case IMAGE_OBJECT_PROCESS:
    case IMAGE_OBJECT_THREAD:
        return task_kind((const struct task *)o);
    default:
        return CALL_WAIT;
    }
}

static uint32_t some_mask(const struct call *c)
{
    if (c->kind == CALL_NOTIFY)
        return 1u << world_random(32) | world_random(2);
    if (c->object->type == IMAGE_OBJECT_WAIT_GROUP && c->kind != CALL_GROUP_ADD)
        return world_random(16) ? SIGNAL_READABLE : SIGNAL_ERROR;
    const struct object *o = c->kind == CALL_GROUP_ADD ? c->other : c->object;
    if (o->type == IMAGE_OBJECT_INTERRUPT)
        return SIGNAL_INTERRUPT_A;
    if (o->type == IMAGE_OBJECT_THREAD || o->type == IMAGE_OBJECT_PROCESS)
        return SIGNAL_JOINABLE;
    return SIGNAL_READABLE | (world_random(2) ? SIGNAL_ERROR | SIGNAL_USER : 1u << world_random(3));
}

/* The idlers, who supervise, live for ever; nobody ends too often; and a thread that is not there is not started. */
static bool is_wise(const struct call *c, const struct process *p)
{
    bool ends = c->kind == CALL_EXIT || c->kind == CALL_THREAD_EXIT || c->kind == CALL_TERMINATE;
    if (p == &world.processes[IDLER_PROCESS] && ends)
        return c->kind == CALL_TERMINATE && c->object->type == IMAGE_OBJECT_PROCESS &&
               ((struct task *)c->object)->process != p && !world_random(4);
    if (c->kind == CALL_TERMINATE && c->object->type == IMAGE_OBJECT_PROCESS)
        return !world_random(4);
    if (c->kind == CALL_START && c->object->type == IMAGE_OBJECT_THREAD)
        return ((struct task *)c->object)->thread->priority < THREAD_PRIORITIES; /* not an absent one */
    return true;
}

/* With a transaction of another thread, or an asynchronous one: often while its answer is on its way. */
static void meddle(struct call *c, const struct process *p)
{
    for (int i = 0; i < CHANNELS; i++) {
        struct endpoint *e = &world.initiators[i];
        bool is_answered = e->remote && (e->claim & 3) == CLAIM_ANSWERED && e->async != ASYNC_DONE;
        if (e->object.process != p || !endpoint_is_busy(e) || world_random(is_answered ? 2 : 24))
            continue;
        bool ends = e->caller && world_random(2);
        c->kind = ends ? CALL_TERMINATE : CALL_ASYNC_CANCEL;
        c->object = ends ? &world.of[e->caller - world.threads].object : &e->object;
        return;
    }
}

/* It has something to answer: the handler has, or a thread that took it. */
static bool has_answer(const struct object *o)
{
    const struct endpoint *h =
        o->type == IMAGE_OBJECT_WAIT_GROUP ? sched_current()->served : (const struct endpoint *)o;
    return h && (h->reading & READING_BEGUN);
}

static void thread_step(void)
{
    struct process *p = sched_current()->process;
    struct call c = {.object = some_object(p), .deadline_ns = some_deadline(), .n = some_bytes()};
    c.kind = some_kind(c.object);
    if (world_random(2))
        meddle(&c, p);
    if (!world_random(200))
        c.kind = world_random(3) ? CALL_THREAD_EXIT : CALL_EXIT;
    uint32_t other = world_random(p->object_count);
    c.other = p->objects[other];
    c.value = c.kind == CALL_GROUP_ADD ? other : world_random(2);
    c.mask = some_mask(&c);
    c.room = c.kind == CALL_READ ? c.n : some_bytes();
    if (c.kind == CALL_TRANSACT || c.kind == CALL_ASYNC_TRANSACT)
        c.room = world_random(4) ? BUFFER_BYTES : c.room;
    c.offset = world_random(3) ? 0 : world_random(50);
    if (c.kind == CALL_RESPOND || (c.kind == CALL_RESPOND_AND_WAIT && (has_answer(c.object) || !world_random(8))))
        c.out = world.send[0]; /* any: there is an answer */
    bool takes_pieces = c.kind == CALL_TRANSACT || c.kind == CALL_ASYNC_TRANSACT || c.kind == CALL_READ;
    static const struct pieces some;
    c.in_pieces = takes_pieces && !world_random(4) ? &some : NULL;
    c.out_pieces = (c.kind == CALL_RESPOND || takes_pieces) && c.kind != CALL_READ && !world_random(4) ? &some : NULL;
    if (p == &world.processes[IDLER_PROCESS] && c.deadline_ns == TIME_NEVER)
        c.deadline_ns = world.now_ns + 1 + world_random(100);
    if (is_wise(&c, p))
        oracle_call(&c);
}

/* What comes from outside: a line or the timer. */
static void cpu_step(void)
{
    struct call c = {.kind = CALL_INTERRUPT};
    struct object *line = world_random(3) ? &world.lines[world_random(LINES)] : &world.bell;
    if (line->cpu == world.cpu && !line->process->stopped && world_random(2))
        c = (struct call){.kind = CALL_RAISE, .object = line, .mask = SIGNAL_INTERRUPT_A};
    else if (timer.armed_ns != TIME_NEVER && world.now_ns < timer.armed_ns)
        world.now_ns = timer.armed_ns;
    oracle_call(&c);
}

/* Of the messages that have not arrived, one of a random CPU. */
static bool message_step(void)
{
    if (!world.message_count)
        return false;
    world_on(world.messages[world_random(world.message_count)].to);
    oracle_call(&(struct call){.kind = CALL_DELIVER});
    return true;
}

/* A due timer comes first on each CPU. */
static void step(void)
{
    world.now_ns += world_random(4);
    for (uint32_t cpu = 0; cpu < world.cpu_count; cpu++) {
        world_on(cpu);
        if (timer.armed_ns <= world.now_ns)
            oracle_call(&(struct call){.kind = CALL_INTERRUPT});
    }
    world_on(world_random(world.cpu_count));
    if (world.idle)
        world_on(world.cpu_count - 1 - world.cpu); /* rather the other one */
    if ((world.idle || !world_random(5)) && message_step())
        return;
    if (world.idle || !world_random(16))
        cpu_step();
    else
        thread_step();
    struct object *line = &world.lines[world_random(LINES)];
    if (world_random(2))
        object_lower(line, SIGNAL_INTERRUPT_A); /* acknowledged */
    object_lower(&world.bell, SIGNAL_INTERRUPT_A);
}

static void episode(bool two_cpus)
{
    static const uint8_t levels[] = {0, 7, 7, 7, 31};
    uint8_t priorities[THREADS], homes[PROCESSES] = {0};
    bool equal = world_random(2);
    for (int i = 0; i < THREADS; i++)
        priorities[i] = equal ? 7 : levels[world_random(5)];
    priorities[CLIENT_2] |= world_random(4) ? 0 : WORLD_UNBORN;
    priorities[SERVER_2] |= world_random(4) ? 0 : WORLD_UNBORN;
    for (int i = 0; two_cpus && i < PROCESSES; i++)
        homes[i] = (uint8_t)world_random(2);
    world_create_on(priorities, homes);
    oracle_create();
    for (int i = 0; i < STEPS; i++)
        step();
}

Test(endpoint_walk, one_cpu_and_two, .timeout = 120)
{
    for (int i = 0; i < EPISODES; i++)
        episode(i % 3);
    for (int i = 0; i < EVENTS; i++)
        cr_expect(ge(u64, oracle_events[i], EVENT_MIN), "event %d: only %lu", i, oracle_events[i]);
}
