/* SPDX-License-Identifier: MIT
 * What holds between calls, in every state that they can reach. */
#include "ipc/endpoint_internal.h"
#include "tests/unit/ipc/endpoint_world.h"

#include <string.h>

enum { TO_HANDLER_MAX = 6, TO_INITIATOR_MAX = 5, TO_PROCESS_MAX = 4 };

static struct world before; /* the call under way */
static enum call_kind kind;
static const struct process *caller; /* whose call it is, or NULL */
static uint32_t waits[THREADS], calls[THREADS];

void world_watch(enum call_kind k)
{
    memcpy(&before, &world, sizeof(world));
    kind = k;
    caller = k < CALL_INTERRUPT && !world.idle ? sched_current()->process : NULL;
}

static bool lives(const struct endpoint *e)
{
    return !e->object.process->stopped;
}

static bool has(const struct endpoint *e, uint32_t signal)
{
    return e->object.signals & signal;
}

static bool is_handler(const struct object *o)
{
    return o->type == IMAGE_OBJECT_CHANNEL_HANDLER;
}

static bool is_waiting(const struct thread *t)
{
    return thread_state_waits(t->waiter.state);
}

/* There is something for the waiter, which is why it must not wait. */
static bool is_served(const struct object *o, const struct waiter *w)
{
    const struct endpoint *e = (const struct endpoint *)o;
    if (w->state == THREAD_WAIT_REQUEST || w->state == THREAD_WAIT_BEHIND)
        return endpoint_has_unread(e) || has(e, SIGNAL_ERROR);
    if (w->state == THREAD_WAIT_TAKE)
        return e->notified || e->dead;
    return o->signals & w->mask;
}

/* The member has something for a waiter of its group; `takes`: one who takes requests. */
static bool is_member_served(const struct member *m, bool takes)
{
    const struct endpoint *h = (const struct endpoint *)m->object;
    uint32_t pending = m->object->signals & m->waiter.mask;
    if (is_handler(m->object) && ((h->reading & READING_TAKEN) || (takes && !endpoint_has_unread(h))))
        pending &= ~SIGNAL_READABLE;
    return pending;
}

static void check_waiters(struct object *o)
{
    uint32_t steps = 0, members = 0;
    for (struct waiter *w = o->waiters; w; w = w->next) {
        must(++steps <= THREADS + 1);
        if (w->state == WAITER_MEMBER) {
            members++;
            must(member_of_waiter(w) == o->member);
            continue;
        }
        struct thread *t = thread_of_waiter(w);
        must(t >= world.threads && t < world.threads + THREADS && t->wait_object == o && is_waiting(t));
        must(t->process == o->process && !o->process->stopped);
        must(o->type == IMAGE_OBJECT_WAIT_GROUP || !is_served(o, w));
        waits[t - world.threads]++;
    }
    must(members == (o->member->group != NULL));
    const struct waiter *w = o->waiters; /* the direct way is open only if nothing is under way */
    must(!is_handler(o) || !w || w->state != THREAD_WAIT_REQUEST || w->next || !(o->signals & SIGNAL_READABLE));
}

static uint32_t times_in_queue(const struct member_queue *q, const struct member *m)
{
    uint32_t times = 0, steps = 0;
    const struct member *previous = NULL;
    for (const struct member *at = q->first; at; previous = at, at = at->next) {
        must(++steps <= OBJECTS_MAX && at->previous == previous && at->queue == q);
        times += at == m;
    }
    must(q->last == previous);
    return times;
}

/* It is where those who wait for it look, whether now or later. */
static void check_member(const struct wait_group *g, const struct member *m)
{
    must(times_in_queue(&g->fresh, m) == (m->queue == &g->fresh));
    must(times_in_queue(&g->read, m) == (m->queue == &g->read));
    must(m->queue || (!m->next && !m->previous));
    must(m->waiter.mask && m->object->type != IMAGE_OBJECT_WAIT_GROUP);
    must(m->queue || !is_member_served(m, false));
    must(m->queue == &g->fresh || !is_member_served(m, true));
    for (const struct waiter *w = g->object.waiters; w; w = w->next)
        must(!(w->mask & SIGNAL_READABLE) || !is_member_served(m, w->state == THREAD_WAIT_REQUEST));
}

static void check_group(const struct process *p, const struct wait_group *g)
{
    uint32_t members = 0;
    for (uint32_t i = 0; i < p->object_count; i++) {
        const struct member *m = p->objects[i]->member;
        if (!m->group)
            continue;
        must(m->group == g && !p->stopped);
        members++;
        check_member(g, m);
    }
    must(g->queued <= members && !g->queued == !(g->fresh.first || g->read.first));
    must(g->members == members && (members || (!g->fresh.first && !g->read.first && !g->object.waiters)));
}

static void check_end(const struct endpoint *e)
{
    bool direct = !e->remote && !e->dead && e->async == ASYNC_NONE;
    must(e->local_peer == (direct ? e->peer : &endpoint_nobody));
    must(has(e, SIGNAL_USER) == (e->user || e->notified));
    must(!(e->dead && (e->user || e->notified)));
    must(e->dead || !has(e, SIGNAL_ERROR));
    must(!(e->object.signals & ~(SIGNAL_READABLE | SIGNAL_WRITEABLE | SIGNAL_ERROR | SIGNAL_USER)));
    if (!lives(e))
        must(!e->caller && e->async == ASYNC_NONE && !e->held && e->reading == READING_NOT_BEGUN &&
             !has(e, SIGNAL_READABLE));
}

static void check_initiator(const struct endpoint *e)
{
    check_end(e);
    must(!e->caller || e->async == ASYNC_NONE || e->async == ASYNC_CANCELLED);
    must(!e->held || (e->unacknowledged && (e->caller || e->async == ASYNC_PENDING)));
    must(e->reading == READING_NOT_BEGUN || (e->remote && e->reading == READING_IN_PIECES));
    must(has(e, SIGNAL_READABLE) == (e->async == ASYNC_DONE));
    must(!lives(e) || has(e, SIGNAL_WRITEABLE) == (!endpoint_is_busy(e) && !e->dead));
    must(!e->dead || (!e->caller && (e->async == ASYNC_NONE || e->async == ASYNC_DONE)));
    if (e->caller) {
        calls[e->caller - world.threads]++;
        must(e->caller->waiter.state == THREAD_WAIT_RESPONSE && e->caller->wait_object == &e->object);
    }
}

static void check_handler(const struct endpoint *h)
{
    bool begun = h->reading & READING_BEGUN;
    check_end(h);
    must(!has(h, SIGNAL_WRITEABLE) && !h->caller && h->async == ASYNC_NONE);
    must(!begun || !(h->reading & READING_WITHDRAWN));
    must(has(h, SIGNAL_READABLE) || !(h->reading & (READING_BEGUN | READING_IN_PIECES)));
    must(!(h->reading & READING_TAKEN) || (begun && h->taker->process == h->object.process));
    must(!h->dead || !has(h, SIGNAL_READABLE));
}

/* Neither lies to the other; on one CPU, or between two when nothing is under way. */
static void check_agreement(const struct endpoint *e, const struct endpoint *h)
{
    bool asks = e->caller || e->async == ASYNC_PENDING;
    must(e->dead == !lives(h) && h->dead == !lives(e));
    must(has(h, SIGNAL_READABLE) == (lives(h) && asks));
    must(e->async == ASYNC_NONE || e->async == ASYNC_PENDING || e->async == ASYNC_DONE);
    must(!e->held && !e->unacknowledged);
}

static uint32_t messages_to(const void *what)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < world.message_count; i++)
        n += world.messages[i].message.word[0] == (uint64_t)what;
    return n;
}

/* The word between the CPUs, and the bounds of what is under way. */
static void check_remote(const struct endpoint *e, const struct endpoint *h)
{
    uint32_t to_handler = messages_to(h), to_initiator = messages_to(e), claim = e->claim & 3;
    must(to_handler <= TO_HANDLER_MAX && to_initiator <= TO_INITIATOR_MAX);
    must(e->async < ASYNC_ABANDONED || claim == CLAIM_ANSWERED);
    must(e->async != ASYNC_CANCELLED || e->caller);
    if (endpoint_is_busy(e) && e->async != ASYNC_DONE && !e->held) {
        must(e->claim >> 2 == e->generation && claim != CLAIM_CANCELLED);
        must(claim == CLAIM_OPEN || to_initiator); /* the answer is on its way */
    }
    must(claim == CLAIM_CANCELLED || !e->unacknowledged);
    must(to_handler || !(h->mail & ~(UINT64_C(1) << 32)));
    must(to_initiator || !(e->mail & ~(UINT64_C(1) << 32)));
    if (!to_handler && !to_initiator)
        check_agreement(e, h);
}

/* Of each kind of message to each thing, one is under way at most; of requests to end a process, two. */
static void check_messages(void)
{
    for (uint32_t i = 0; i < world.message_count; i++) {
        const struct inbox_message *a = &world.messages[i].message;
        uint32_t same = 0;
        for (uint32_t j = 0; j < world.message_count; j++) {
            const struct inbox_message *b = &world.messages[j].message;
            same += a->run == b->run && a->word[0] == b->word[0];
        }
        bool is_process =
            a->word[0] >= (uint64_t)world.processes && a->word[0] < (uint64_t)(world.processes + PROCESSES);
        must(same == 1 || (is_process && same == 2));
    }
    for (int i = 0; i < PROCESSES; i++)
        must(messages_to(&world.processes[i]) <= TO_PROCESS_MAX);
    for (int i = 0; i < IDLER_PROCESS; i++)
        must(messages_to(&world.supervised[i]) <= 1);
}

static void check_channel(const struct endpoint *e, const struct endpoint *h)
{
    check_initiator(e);
    check_handler(h);
    if (e->remote)
        check_remote(e, h);
    else
        check_agreement(e, h);
}

/* Between asking and hearing, the process object is ahead of the process, or behind it. */
static void check_supervised(const struct task *t)
{
    const struct process *p = t->process;
    bool under_way = messages_to(p) || messages_to(t) || p->unseen;
    must(!!(t->object.signals & SIGNAL_JOINABLE) == (t->state == TASK_ENDED));
    if (t->state != TASK_RUNNING)
        must(p->stopped && !p->loading && !p->unseen);
    else
        must(!p->stopped || p->loading || under_way);
}

static void check_process(const struct process *p)
{
    uint32_t living = 0;
    for (uint32_t i = 0; i < p->thread_count; i++) {
        const struct thread *t = &p->threads[i];
        bool ran = t->waiter.state != THREAD_STOPPED;
        living += ran;
        must(!ran || !p->stopped);
        if (!p->stopped) {
            must(ran == (t->task->state == TASK_RUNNING));
            must(!!(t->task->object.signals & SIGNAL_JOINABLE) == (t->task->state == TASK_ENDED));
        }
    }
    must(p->stopped || p->living == living);
    must(p->stopped || (!p->loading && !p->doomed && !p->unseen));
    for (uint32_t i = 0; i < p->object_count; i++)
        check_waiters(p->objects[i]);
    check_group(p, &world.groups[p - world.processes]);
}

static uint32_t times_queued(const struct thread *t)
{
    uint32_t times = 0;
    for (int p = 0; p < THREAD_PRIORITIES; p++)
        for (const struct thread *at = runq.head[p]; at; at = at->next)
            times += at == t;
    return times;
}

static void check_thread(int i)
{
    const struct thread *t = &world.threads[i];
    bool blocked = is_waiting(t) || t->waiter.state == THREAD_WAIT_RESPONSE;
    must(waits[i] == is_waiting(t) && (is_waiting(t) || !t->waiter.next));
    must(calls[i] == (t->waiter.state == THREAD_WAIT_RESPONSE));
    if (t->process->cpu != world.cpu)
        return;
    must(times_queued(t) == (t->waiter.state == THREAD_READY));
    must((t->waiter.state == THREAD_RUNNING) == (t == sched_current() && !world.idle));
    must(blocked || *t->deadline_ns == TIME_NEVER);
    must(timer.armed_ns <= *t->deadline_ns);
}

static void check_cpu(void)
{
    const struct thread *t = sched_current();
    must(runq_valid(&runq) && timer.armed_ns <= timer.slice_ns && world.armed_ns == timer.armed_ns);
    for (int i = 0; i < THREADS; i++)
        check_thread(i);
    for (int p = 0; p < THREAD_PRIORITIES; p++)
        for (const struct thread *at = runq.head[p]; at; at = at->next)
            must(at->process->cpu == world.cpu);
    if (world.idle) {
        must(inbox.level == INBOX_POLLING && !runq.bitmap);
        return;
    }
    must(t->process->cpu == world.cpu);
    must(t->waiter.state == THREAD_RUNNING && t->cr3 == world.cr3 && t->priority == inbox.level);
    must(!runq_beats(&runq, t->priority));
    must(!runq_has(&runq, t->priority) || timer.slice_ns != TIME_NEVER);
}

#define MUST_BE(field) must(memcmp(&world.field, &before.field, sizeof(world.field)) == 0)

/* But for the two words that are made for it. */
static void check_untouched_end(const struct endpoint *now, const struct endpoint *then)
{
    struct endpoint expected = *then;
    expected.claim = now->claim;
    expected.mail = now->mail;
    if (now->object.cpu != before.cpu)
        must(memcmp(now, &expected, sizeof(expected)) == 0);
}

/* A CPU changes only what is its own. */
static void check_untouched(void)
{
    for (int i = 0; i < CHANNELS; i++) {
        check_untouched_end(&world.initiators[i], &before.initiators[i]);
        check_untouched_end(&world.handlers[i], &before.handlers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        if (world.threads[i].process->cpu == before.cpu)
            continue;
        MUST_BE(threads[i]);
        MUST_BE(of[i]);
    }
    for (int i = 0; i < PROCESSES; i++) {
        if (world.processes[i].cpu == before.cpu)
            continue;
        MUST_BE(processes[i]);
        MUST_BE(groups[i]);
        MUST_BE(members[i]);
        if (i == SERVER_PROCESS)
            MUST_BE(lines);
        if (i == IDLER_PROCESS)
            MUST_BE(supervised);
    }
    MUST_BE(cells[before.cpu ^ 1]);
    MUST_BE(cpus[before.cpu ^ 1]);
}

/* A thread waited for a request that this end might give: ERROR was told. */
static bool was_awaited(const struct endpoint *e)
{
    const struct wait_group *g = e->object.member->group;
    for (int i = 0; i < THREADS; i++) {
        const struct thread *t = &before.threads[i];
        if ((t->waiter.state == THREAD_WAIT_REQUEST || t->waiter.state == THREAD_WAIT_BEHIND) &&
            (t->wait_object == &e->object || (g && t->wait_object == &g->object)))
            return true;
    }
    return false;
}

/* ERROR rises with the peer's death, and falls when a wait for requests has told it, or one of the two starts again. */
static void check_error(const struct endpoint *now, const struct endpoint *then)
{
    bool died = now->dead && !then->dead, is = has(now, SIGNAL_ERROR), was = then->object.signals & SIGNAL_ERROR;
    if (is && !was)
        must(died);
    if (!is && died)
        must(was_awaited(now));
    if (!is && was && now->dead && !before.processes[now->object.process - world.processes].stopped)
        must(caller == now->object.process && (kind == CALL_RESPOND_AND_WAIT || kind == CALL_GROUP_ADD));
}

void world_check(void)
{
    memset(waits, 0, sizeof(waits));
    memset(calls, 0, sizeof(calls));
    for (int i = 0; i < PROCESSES; i++)
        check_process(&world.processes[i]);
    for (int i = 0; i < CHANNELS; i++)
        check_channel(&world.initiators[i], &world.handlers[i]);
    for (int i = 0; i < IDLER_PROCESS; i++)
        check_supervised(&world.supervised[i]);
    for (int i = 0; i < CHANNELS; i++) {
        check_error(&world.initiators[i], &before.initiators[i]);
        check_error(&world.handlers[i], &before.handlers[i]);
    }
    if (world.cpu_count > 1)
        check_untouched();
    check_messages();
    uint32_t here = world.cpu;
    for (uint32_t cpu = 0; cpu < world.cpu_count; cpu++) {
        world_on(cpu);
        check_cpu();
    }
    world_on(here);
}
