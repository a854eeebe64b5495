/* SPDX-License-Identifier: MIT
 * The world: what arch and sys would supply, one call at a time, and the invariants that hold between calls. */
#include "tests/unit/ipc/endpoint_world.h"

#include "ipc/endpoint_direct.h"

#include "ipc/endpoint_internal.h"
#include "mm/page.h"
#include "sys/lib/panic.h"

#include <arch/apic.h>
#include <arch/clock.h>
#include <setjmp.h>
#include <string.h>

struct world world;
uint64_t world_handoffs;
struct percpu_head percpu_head;
struct inbox inbox;

static jmp_buf way_out; /* of the call under way */
static _Alignas(CACHE_LINE) unsigned char empty_slot[CACHE_LINE];
static uint64_t random_state;

void cr3_write(uint64_t v)
{
    world.cr3 = v;
}

uint64_t clock_now_ns(void)
{
    return world.now_ns;
}

void apic_timer_arm(uint64_t ns)
{
    world.armed_ns = ns;
}

enum status page_alloc(size_t count, size_t align_bytes, paddr_t *out)
{
    (void)count, (void)align_bytes, (void)out;
    return STATUS_RESOURCE_EXHAUSTED;
}

void inbox_set_level(int level)
{
    inbox.level = level;
}

void inbox_run(void)
{
    panic("the inbox is empty");
}

void inbox_send(uint32_t cpu, const struct inbox_message *m, uint8_t priority)
{
    (void)cpu, (void)priority;
    panic_if(world.message_count == MESSAGES_MAX);
    world.messages[world.message_count++] = *m;
}

/* Nothing is ready: the call is over, and the next is CALL_INTERRUPT. */
void interrupts_window(void)
{
    world.idle = true;
    longjmp(way_out, 1);
}

void interrupts_halt(void)
{
    interrupts_window();
}

void thread_resume(struct thread *t)
{
    panic_if(t != sched_current());
    longjmp(way_out, 1);
}

void thread_resume_ok(struct thread *t, uint64_t value)
{
    t->result = result_ok(value);
    world_handoffs++;
    thread_resume(t);
}

uint32_t world_random(uint32_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % n);
}

void world_save(struct snapshot *s)
{
    memcpy(&s->world, &world, sizeof(world));
    memcpy(&s->runq, &runq, sizeof(runq));
    memcpy(&s->timer, &timer, sizeof(timer));
    s->head = percpu_head;
    s->level = inbox.level;
}

void world_load(const struct snapshot *s)
{
    memcpy(&world, &s->world, sizeof(world));
    memcpy(&runq, &s->runq, sizeof(runq));
    memcpy(&timer, &s->timer, sizeof(timer));
    percpu_head = s->head;
    inbox.level = s->level;
}

static void thread_create(int i, int process, uint8_t priority, const char *name)
{
    struct thread *t = &world.threads[i];
    *t = (struct thread){.priority = priority, .process = &world.processes[process], .name = name};
    t->cr3 = t->process->cr3;
    t->waiter.state = THREAD_STOPPED;
    t->deadline_ns = &world.cells[i];
    timer_adopt(0, t);
    if (priority == WORLD_ABSENT)
        return;
    t->rivals = UINT32_MAX << priority;
    t->waiter.state = THREAD_READY;
    runq_push(&runq, t);
}

static void object_create(struct object *o, uint16_t type, int process)
{
    struct process *p = &world.processes[process];
    o->type = type;
    o->process = p;
    o->waitable = SIGNAL_VALID;
    p->objects[p->object_count++] = o;
}

static void channel_create(int i, int initiator_process, int handler_process)
{
    struct endpoint *e = &world.initiators[i], *h = &world.handlers[i];
    e->peer = e->local_peer = h;
    h->peer = h->local_peer = e;
    e->object.signals = SIGNAL_WRITEABLE;
    object_create(&e->object, IMAGE_OBJECT_CHANNEL_INITIATOR, initiator_process);
    object_create(&h->object, IMAGE_OBJECT_CHANNEL_HANDLER, handler_process);
}

void world_create(const uint8_t priorities[THREADS])
{
    static const char *const names[] = {"client", "client 2", "server", "server 2", "other", "rival", "rival 2"};
    static const int homes[] = {CLIENT_PROCESS, CLIENT_PROCESS, SERVER_PROCESS, SERVER_PROCESS,
                                OTHER_PROCESS,  IDLER_PROCESS,  IDLER_PROCESS};
    memset(&world, 0, sizeof(world));
    memset(&runq, 0, sizeof(runq));
    world.now_ns = 1000;
    world.armed_ns = TIME_NEVER;
    timer = (struct timer){
        .armed_ns = TIME_NEVER, .slice_ns = TIME_NEVER, .deadlines = world.cells, .threads = world.owners};
    timer_set_slice(100);
    sched_set_idle(IDLE_POLL);
    inbox.channel = (struct channel){.head = CHANNEL_MARK, .slots = empty_slot};
    for (int i = 0; i < PROCESSES; i++) {
        world.processes[i].cr3 = 0x1000u * (unsigned)(i + 1);
        world.processes[i].objects = world.objects[i];
    }
    channel_create(0, CLIENT_PROCESS, SERVER_PROCESS);
    channel_create(1, SERVER_PROCESS, OTHER_PROCESS);
    world.bell.process = &world.processes[IDLER_PROCESS];
    world.bell.waitable = SIGNAL_VALID;
    for (int i = 0; i < THREADS; i++)
        thread_create(i, homes[i], priorities[i], names[i]);
    if (!setjmp(way_out))
        sched_start();
    world_check();
}

static void thread_stop(struct thread *t)
{
    if (t->waiter.state == THREAD_READY)
        runq_remove(&runq, t);
    else if (t->waiter.state == THREAD_WAIT_SIGNALS || t->waiter.state == THREAD_WAIT_REQUEST)
        object_stop_waiting(t);
    timer_deadline_clear(t);
    t->waiter.state = THREAD_STOPPED;
}

void world_stop(struct process *p)
{
    p->stopped = true;
    for (int i = 0; i < THREADS; i++)
        if (world.threads[i].process == p)
            thread_stop(&world.threads[i]);
    for (uint32_t i = 0; i < p->object_count; i++)
        endpoint_stop((struct endpoint *)p->objects[i]);
}

void process_quiet(struct process *p)
{
    p->end.kind = EXIT_TERMINATED; /* its supervisor would hear of it now */
}

void world_make_remote(int channel)
{
    struct endpoint *e = &world.initiators[channel], *h = &world.handlers[channel];
    e->remote = h->remote = true;
    e->local_peer = h->local_peer = &endpoint_nobody;
}

void world_deliver(void)
{
    while (world.message_count) {
        struct inbox_message m = world.messages[0];
        world.message_count--;
        memmove(world.messages, world.messages + 1, world.message_count * sizeof(m));
        m.run(&m);
    }
}

static _Noreturn void leave(void)
{
    longjmp(way_out, 1);
}

/* A call without a result of its own: nobody's `result` changes unless the kernel changes it. */
static void interrupt(const struct call *c)
{
    if (c->kind == CALL_RAISE) {
        object_raise_ready(c->object, c->mask);
    } else {
        world.armed_ns = TIME_NEVER; /* it has fired */
        timer_interrupt();
    }
    world.idle = false;
    sched_interrupted();
    leave();
}

static struct result call(const struct call *c)
{
    struct endpoint *e = (struct endpoint *)c->object;
    switch (c->kind) {
    case CALL_TRANSACT:
        if (!c->slow)
            endpoint_transact_direct(e, c->out, c->n, c->in, c->room, c->deadline_ns);
        return endpoint_transact(e, c->out, c->n, c->in, c->room, c->deadline_ns);
    case CALL_RESPOND_AND_WAIT:
        if (!c->slow)
            endpoint_respond_and_wait_direct(e, c->out, c->n, c->in, c->room, c->deadline_ns);
        return endpoint_respond_and_wait(e, c->out, c->n, c->in, c->room, c->deadline_ns);
    case CALL_RESPOND:
        return endpoint_respond(e, c->out, c->n);
    case CALL_READ:
        return endpoint_read(e, c->offset, c->in, c->n);
    case CALL_WAIT:
        return object_wait(c->object, c->mask, c->deadline_ns);
    case CALL_YIELD:
        return sched_yield();
    case CALL_EXIT:
        world_stop(sched_current()->process);
        sched_block();
    default:
        interrupt(c);
        leave();
    }
}

void world_call(const struct call *c)
{
    if (!setjmp(way_out)) {
        struct result r = call(c);
        sched_current()->result = r;
    }
    world_check();
}

static uint32_t times_queued(const struct thread *first, const struct thread *t)
{
    uint32_t times = 0, steps = 0;
    for (; first; first = first->next) {
        times += first == t;
        must(++steps <= THREADS);
    }
    return times;
}

static uint32_t times_waiting(const struct object *o, const struct thread *t)
{
    uint32_t times = 0, steps = 0;
    for (const struct waiter *w = o->waiters; w; w = w->next) {
        times += w == &t->waiter;
        must(++steps <= THREADS);
    }
    if (times) {
        must(t->wait_object == o && !o->process->stopped);
        must(!(o->signals & t->waiter.mask)); /* what it waits for has not come */
    }
    return times;
}

static void check_thread(const struct thread *t)
{
    uint32_t queued = 0, waiting = times_waiting(&world.bell, t), calling = 0;
    for (int p = 0; p < THREAD_PRIORITIES; p++)
        queued += times_queued(runq.head[p], t);
    for (int i = 0; i < CHANNELS; i++) {
        waiting += times_waiting(&world.initiators[i].object, t) + times_waiting(&world.handlers[i].object, t);
        calling += world.initiators[i].caller == t;
    }
    must(queued == (t->waiter.state == THREAD_READY));
    must(waiting == (t->waiter.state == THREAD_WAIT_SIGNALS || t->waiter.state == THREAD_WAIT_REQUEST));
    must(calling == (t->waiter.state == THREAD_WAIT_RESPONSE));
    must(waiting || !t->waiter.next);
    must((t->waiter.state == THREAD_RUNNING) == (t == sched_current() && !world.idle));
    if (!waiting && !calling)
        must(*t->deadline_ns == TIME_NEVER);
    must(timer.armed_ns <= *t->deadline_ns);
}

static void check_channel(const struct endpoint *e, const struct endpoint *h)
{
    bool initiator_lives = !e->object.process->stopped, handler_lives = !h->object.process->stopped;
    must(!(e->object.signals & SIGNAL_READABLE) && !(h->object.signals & SIGNAL_WRITEABLE));
    if (e->remote)
        return;
    must(e->dead == !handler_lives && h->dead == !initiator_lives);
    must(e->local_peer == (handler_lives ? h : &endpoint_nobody));
    must(h->local_peer == (initiator_lives ? e : &endpoint_nobody));
    must(!!(e->object.signals & SIGNAL_ERROR) == !handler_lives);
    must(!!(h->object.signals & SIGNAL_ERROR) == !initiator_lives);
    must(!!(h->object.signals & SIGNAL_READABLE) == (e->caller != NULL));
    if (initiator_lives)
        must(!!(e->object.signals & SIGNAL_WRITEABLE) == !e->caller);
    if (handler_lives)
        must(h->reading != READING_BEGUN || e->caller);
}

void world_check(void)
{
    const struct thread *t = sched_current();
    must(runq_valid(&runq));
    for (int i = 0; i < THREADS; i++)
        check_thread(&world.threads[i]);
    for (int i = 0; i < CHANNELS; i++)
        check_channel(&world.initiators[i], &world.handlers[i]);
    must(timer.armed_ns <= timer.slice_ns && world.armed_ns == timer.armed_ns);
    if (world.idle) {
        must(inbox.level == INBOX_POLLING);
        return;
    }
    must(t->waiter.state == THREAD_RUNNING && t->cr3 == world.cr3 && t->priority == inbox.level);
    must(!runq_beats(&runq, t->priority));
    must(!runq_has(&runq, t->priority) || timer.slice_ns != TIME_NEVER);
}
