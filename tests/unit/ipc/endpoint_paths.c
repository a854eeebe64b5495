/* SPDX-License-Identifier: MIT
 * The fast paths equal the slow ones. A random walk leads through states that calls can reach; each transact and each
 * respond_and_wait on the way is made twice from the same state, once by endpoint.c as it is and once without fast
 * paths, and afterwards all memory must be equal: threads and their results, ends, waiters, run queue, deadlines,
 * timer, buffers, address space, inbox level. What else there is, wait groups, asynchronous transactions, death and
 * restart, comes into it now and then. */
#include "tests/unit/ipc/endpoint_world.h"

#include <string.h>

enum { EPISODES = 6000, STEPS = 60, STATES_MIN = 20000, KIND_MIN = 100 };

/* Why a call could not take the fast path, or that it did: the walk must come to all of these. */
enum kind {
    TRANSACT_HANDOFF,
    TRANSACT_HANDOFF_UP, /* to a more urgent server */
    TRANSACT_HANDOFF_DOWN,
    TRANSACT_BUSY,  /* a transaction is under way */
    TRANSACT_ASYNC, /* an asynchronous one */
    TRANSACT_PEER_DEAD,
    TRANSACT_NOBODY_WAITS,
    TRANSACT_WAITS_FOR_SIGNALS, /* the first waiter is in object_wait or object_take */
    TRANSACT_GROUP_HANDOFF,     /* the only waiter is a wait group, in which one thread waits */
    TRANSACT_GROUP_OTHER,       /* and that is not so, or something else is there */
    TRANSACT_SECOND_WAITER,
    TRANSACT_RIVAL, /* a ready thread as urgent as the server */
    TRANSACT_EARLY_DEADLINE,
    RESPOND_HANDOFF,
    RESPOND_HANDOFF_UP,
    RESPOND_HANDOFF_DOWN,
    RESPOND_NO_RESPONSE,
    RESPOND_NOT_BEGUN,
    RESPOND_WITHDRAWN,
    RESPOND_TAKEN,     /* through a wait group */
    RESPOND_IN_PIECES, /* also each asynchronous one */
    RESPOND_TOO_LONG,
    RESPOND_OTHER_WAITER, /* on either end */
    RESPOND_RIVAL,
    RESPOND_EARLY_DEADLINE,
    RESPOND_GROUP_HANDOFF, /* through a group */
    RESPOND_GROUP_OTHER,
    KINDS
};

static uint64_t seen[KINDS];
static bool grouped; /* this episode */
static struct snapshot before, fast, slow;

static enum kind handoff_kind(enum kind equal, const struct thread *to)
{
    uint8_t from = sched_current()->priority;
    return to->priority == from ? equal : to->priority > from ? equal + 1 : equal + 2;
}

static bool may_hand_off(const struct thread *to, const struct call *c)
{
    return !(runq.bitmap >> to->priority) && c->deadline_ns >= timer.armed_ns;
}

static enum kind transact_group_kind(const struct endpoint *h, struct member *m, const struct call *c)
{
    struct waiter *first = m->group->object.waiters;
    if (!(m->waiter.mask & SIGNAL_READABLE) || h->reading != READING_NOT_BEGUN || !first || first->next ||
        first->state != THREAD_WAIT_REQUEST || m->group->queued || !may_hand_off(thread_of_waiter(first), c))
        return TRANSACT_GROUP_OTHER;
    return TRANSACT_GROUP_HANDOFF;
}

static enum kind respond_group_kind(const struct wait_group *g, const struct call *c)
{
    const struct thread *t = sched_current();
    const struct endpoint *h = t->served;
    if (!c->out || !h || h->reading != (READING_BEGUN | READING_TAKEN) || h->taker != t)
        return RESPOND_GROUP_OTHER;
    const struct endpoint *e = h->peer;
    if (g->queued || g->object.waiters || !g->members || !e->caller || c->n > h->response_room || e->object.waiters ||
        !may_hand_off(e->caller, c))
        return RESPOND_GROUP_OTHER;
    return RESPOND_GROUP_HANDOFF;
}

static enum kind transact_kind(const struct endpoint *e, const struct call *c)
{
    struct waiter *first = e->peer->object.waiters;
    if (e->dead)
        return TRANSACT_PEER_DEAD;
    if (e->caller || e->async != ASYNC_NONE)
        return e->caller ? TRANSACT_BUSY : TRANSACT_ASYNC;
    if (!first)
        return TRANSACT_NOBODY_WAITS;
    if (first->next)
        return TRANSACT_SECOND_WAITER;
    if (first->state == WAITER_MEMBER)
        return transact_group_kind(e->peer, member_of_waiter(first), c);
    if (first->state != THREAD_WAIT_REQUEST)
        return TRANSACT_WAITS_FOR_SIGNALS;
    const struct thread *server = thread_of_waiter(first);
    if (runq.bitmap >> server->priority)
        return TRANSACT_RIVAL;
    if (c->deadline_ns < timer.armed_ns)
        return TRANSACT_EARLY_DEADLINE;
    return handoff_kind(TRANSACT_HANDOFF, server);
}

/* It may not be answered the direct way, or not at all. */
static enum kind reading_kind(uint8_t reading)
{
    if (!(reading & READING_BEGUN))
        return reading & READING_WITHDRAWN ? RESPOND_WITHDRAWN : RESPOND_NOT_BEGUN;
    return reading & READING_TAKEN ? RESPOND_TAKEN : RESPOND_IN_PIECES;
}

static enum kind respond_kind(const struct endpoint *h, const struct call *c)
{
    const struct endpoint *e = h->peer;
    if (!c->out)
        return RESPOND_NO_RESPONSE;
    if (h->reading != READING_BEGUN)
        return reading_kind(h->reading);
    if (c->n > h->response_room)
        return RESPOND_TOO_LONG;
    if (h->object.waiters || e->object.waiters)
        return RESPOND_OTHER_WAITER;
    if (runq.bitmap >> e->caller->priority)
        return RESPOND_RIVAL;
    if (c->deadline_ns < timer.armed_ns)
        return RESPOND_EARLY_DEADLINE;
    return handoff_kind(RESPOND_HANDOFF, e->caller);
}

static void must_equal(const void *a, const void *b, size_t bytes, const char *what, enum kind kind)
{
    if (memcmp(a, b, bytes) == 0)
        return;
    size_t at = 0;
    while (((const char *)a)[at] == ((const char *)b)[at])
        at++;
    cr_fatal("kind %d: %s differs at byte %zu", kind, what, at);
}

#define MUST_EQUAL(field, kind) must_equal(&fast.field, &slow.field, sizeof(fast.field), #field, kind)

static void compare(enum kind kind)
{
    for (int i = 0; i < THREADS; i++)
        MUST_EQUAL(world.threads[i], kind);
    MUST_EQUAL(world.initiators, kind);
    MUST_EQUAL(world.handlers, kind);
    MUST_EQUAL(world.bell, kind);
    MUST_EQUAL(world.groups, kind);
    MUST_EQUAL(world.members, kind);
    MUST_EQUAL(world.cells, kind);
    MUST_EQUAL(world.receive, kind);
    MUST_EQUAL(world, kind);
    MUST_EQUAL(cpu, kind);
}

/* Both ways; goes on from what the fast one left. */
static void call_twice(struct call *c)
{
    struct endpoint *end = (struct endpoint *)c->object;
    enum kind kind = c->kind == CALL_TRANSACT                          ? transact_kind(end, c)
                     : c->object->type == IMAGE_OBJECT_CHANNEL_HANDLER ? respond_kind(end, c)
                                                                       : respond_group_kind((void *)c->object, c);
    seen[kind]++;
    world_save(&before);
    uint64_t handoffs = world_handoffs;
    c->slow = true;
    world_call(c);
    must(world_handoffs == handoffs);
    world_save(&slow);
    world_load(&before);
    c->slow = false;
    world_call(c);
    bool direct = (kind >= TRANSACT_HANDOFF && kind <= TRANSACT_HANDOFF_DOWN) ||
                  (kind >= RESPOND_HANDOFF && kind <= RESPOND_HANDOFF_DOWN) || kind == TRANSACT_GROUP_HANDOFF ||
                  kind == RESPOND_GROUP_HANDOFF;
    must(world_handoffs == handoffs + direct);
    world_save(&fast);
    compare(kind);
}

static uint64_t some_deadline(void)
{
    switch (world_random(8)) {
    case 0:
        return world.now_ns - 1 + world_random(3); /* past, now, next */
    case 1:
        return world.now_ns + 1 + world_random(60);
    case 2:
        return world.now_ns + 100000 + world_random(1000);
    default:
        return TIME_NEVER;
    }
}

static void fill(char *buffer)
{
    for (int i = 0; i < BUFFER_BYTES; i++)
        buffer[i] = (char)world_random(256);
}

/* What a thread does at one of its ends. */
static enum call_kind some_kind(const struct object *o)
{
    static const enum call_kind handler[] = {CALL_RESPOND_AND_WAIT,
                                             CALL_RESPOND_AND_WAIT,
                                             CALL_RESPOND_AND_WAIT,
                                             CALL_RESPOND_AND_WAIT,
                                             CALL_RESPOND,
                                             CALL_READ,
                                             CALL_READ,
                                             CALL_WAIT};
    static const enum call_kind rare[] = {CALL_TAKE, CALL_NOTIFY, CALL_ASYNC_CANCEL, CALL_ASYNC_TRANSACT};
    bool handles = o->type == IMAGE_OBJECT_CHANNEL_HANDLER;
    if (!world_random(16))
        return rare[world_random(handles ? 2 : 4)];
    if (handles)
        return handler[world_random(8)];
    return world_random(8) ? CALL_TRANSACT : CALL_WAIT;
}

/* One of the process's ends of the first two channels, or NULL. */
static struct object *some_end(const struct process *p)
{
    struct object *ends[4];
    uint32_t n = 0;
    for (int i = 0; i < 2; i++) {
        if (world.initiators[i].object.process == p)
            ends[n++] = &world.initiators[i].object;
        if (world.handlers[i].object.process == p)
            ends[n++] = &world.handlers[i].object;
    }
    return n ? ends[world_random(n)] : NULL;
}

/* Away from the ends: the process's group, the threads' and processes' ends and beginnings. */
static void change_something(struct process *p, struct call *c)
{
    static const enum call_kind group[] = {CALL_GROUP_ADD, CALL_RESPOND_AND_WAIT, CALL_RESPOND_AND_WAIT,
                                           CALL_GROUP_REMOVE};
    static const enum call_kind task[] = {CALL_JOIN, CALL_START, CALL_JOIN, CALL_START, CALL_TERMINATE};
    struct object *end = some_end(p);
    if (!world_random(20)) {
        c->kind = p == &world.processes[IDLER_PROCESS] ? CALL_YIELD : CALL_EXIT;
    } else if (end) {
        c->object = &world.groups[p - world.processes].object;
        c->kind = group[world_random(4)];
        c->other = end;
        c->mask = 1 + world_random(7);
    } else {
        c->object = &world.supervised[world_random(IDLER_PROCESS)].object;
        c->kind = task[world_random(5)];
    }
}

/* In some episodes requests are taken through groups, in others they are so now and then. */
static void go_through_group(struct call *c)
{
    struct object *handler = c->object;
    if (!handler->member->group) {
        if (!grouped)
            return;
        c->kind = CALL_GROUP_ADD;
        c->other = handler;
        c->mask = SIGNAL_READABLE | SIGNAL_ERROR;
    }
    if (c->kind == CALL_GROUP_ADD || world_random(grouped ? 5 : 3))
        c->object = &world.groups[handler->process - world.processes].object;
}

static void thread_step(int i)
{
    struct process *p = world.threads[i].process;
    struct call c = {.kind = CALL_WAIT, .object = &world.bell, .mask = SIGNAL_USER, .deadline_ns = some_deadline()};
    fill(world.send[i]);
    c.out = world.send[i];
    c.in = world.receive[i];
    c.n = world_random(BUFFER_BYTES);
    c.room = world_random(4) ? BUFFER_BYTES : world_random(BUFFER_BYTES);
    c.offset = world_random(3) ? 0 : world_random(BUFFER_BYTES);
    struct object *end = some_end(p);
    if (!world_random(end ? 10 : 4)) {
        change_something(p, &c);
    } else if (end) {
        c.object = end;
        c.kind = some_kind(c.object);
        c.mask = 1 + world_random(7);
    }
    if (c.kind == CALL_RESPOND_AND_WAIT && c.object == end)
        go_through_group(&c);
    if (c.kind == CALL_RESPOND_AND_WAIT && !world_random(4))
        c.out = NULL;
    struct pieces pieces = pieces_of(c.in, c.room);
    if (c.kind == CALL_TRANSACT && !world_random(16))
        c.in_pieces = &pieces; /* the same, and no direct way */
    if ((c.kind == CALL_TRANSACT && !c.in_pieces) || c.kind == CALL_RESPOND_AND_WAIT)
        call_twice(&c);
    else
        world_call(&c);
}

static void step(void)
{
    struct call c = {.kind = CALL_INTERRUPT, .object = &world.bell, .mask = SIGNAL_USER};
    world.now_ns += world_random(20);
    bool interrupted = timer.armed_ns <= world.now_ns || !world_random(50);
    if (world.idle && !interrupted) {
        c.kind = world_random(2) ? CALL_RAISE : CALL_INTERRUPT;
        if (timer.armed_ns != TIME_NEVER)
            world.now_ns = timer.armed_ns;
    }
    if (world.idle || interrupted)
        world_call(&c);
    else
        thread_step((int)(sched_current() - world.threads));
    object_lower(&world.bell, SIGNAL_USER);
    world_deliver();
}

static void episode(void)
{
    static const uint8_t levels[] = {0, 7, 7, 7, 31, WORLD_ABSENT};
    uint8_t priorities[THREADS];
    bool crowded = !world_random(3);
    grouped = !world_random(4);
    for (int i = 0; i < THREADS; i++)
        priorities[i] = levels[world_random(6)];
    priorities[CLIENT] = levels[world_random(5)];
    priorities[SERVER] = levels[world_random(5)];
    priorities[OTHER] = levels[world_random(5)]; /* may start again */
    if (!crowded)
        priorities[CLIENT_2] = priorities[SERVER_2] = WORLD_ABSENT;
    world_create(priorities);
    for (int i = 0; i < STEPS; i++)
        step();
}

Test(endpoint_paths, fast_equals_slow, .timeout = 120)
{
    for (int i = 0; i < EPISODES; i++)
        episode();
    uint64_t transacts = 0, responds = 0;
    for (int i = 0; i < KINDS; i++) {
        *(i < RESPOND_HANDOFF ? &transacts : &responds) += seen[i];
        cr_expect(ge(u64, seen[i], KIND_MIN), "kind %d: only %lu", i, seen[i]);
    }
    cr_assert(ge(u64, transacts, STATES_MIN));
    cr_assert(ge(u64, responds, STATES_MIN));
}
