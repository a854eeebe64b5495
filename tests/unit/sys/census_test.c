/* SPDX-License-Identifier: MIT
 * The census on the world of the endpoint tests: silent in every state that calls can reach, and each way in which a
 * thread can get lost or an end can be wrong is told. */
#include "sys/census.h"

#include "mm/page.h"
#include "sys/event_object.h"
#include "sys/router_object.h"
#include "sys/syscall/audit.h"
#include "sys/syscall/extension.h"
#include "sys/syscall/latency.h"
#include "sys/task.h"
#include "tests/unit/ipc/endpoint_world.h"

enum { EPISODES = 300, STEPS = 60 };

static uint64_t free_bytes = 100 * PAGE_SIZE;
struct syscall_hook audit_hook, latency_hook;

uint64_t page_free_bytes(void)
{
    return free_bytes;
}

enum hook_state hook_state(const struct syscall_hook *h)
{
    return (enum hook_state)h->state;
}

const char *syscall_name(uint32_t number)
{
    (void)number;
    return NULL;
}

static bool is_busy, waits; /* the only router */

bool router_object_is_busy(const struct router_object *o)
{
    (void)o;
    return is_busy;
}

bool router_object_waits(const struct router_object *o)
{
    (void)o;
    return waits;
}

static void create_on(uint8_t other_cpu)
{
    static const uint8_t priorities[THREADS] = {7, 7, 7, 7, 7, 7, 0};
    world_create_on(priorities, (const uint8_t[PROCESSES]){[OTHER_PROCESS] = other_cpu});
    census_begin(world.processes, PROCESSES, 1);
}

static void create(void)
{
    create_on(0);
}

static struct call call_at(enum call_kind kind, struct object *o, uint64_t deadline_ns)
{
    long i = sched_current() - world.threads;
    return (struct call){.kind = kind,
                         .object = o,
                         .out = world.send[i],
                         .n = world_random(BUFFER_BYTES),
                         .in = world.receive[i],
                         .room = BUFFER_BYTES,
                         .deadline_ns = deadline_ns,
                         .mask = SIGNAL_USER};
}

/* What the current thread does at one of its ends, or at the bell. */
static void thread_step(void)
{
    static const enum call_kind handler[] = {CALL_RESPOND_AND_WAIT, CALL_RESPOND, CALL_READ, CALL_WAIT};
    struct process *p = sched_current()->process;
    struct object *o = p->object_count ? p->objects[world_random(p->object_count)] : &world.bell;
    enum call_kind kind = CALL_WAIT;
    if (o->type == IMAGE_OBJECT_CHANNEL_HANDLER)
        kind = handler[world_random(4)];
    else if (o->type == IMAGE_OBJECT_CHANNEL_INITIATOR)
        kind = CALL_TRANSACT;
    if (!world_random(60))
        kind = CALL_EXIT;
    struct call c = call_at(kind, o, world_random(3) ? TIME_NEVER : world.now_ns + world_random(60));
    if (kind == CALL_RESPOND_AND_WAIT && !world_random(3))
        c.out = NULL;
    world_call(&c);
}

static void step(void)
{
    struct call c = {.kind = CALL_INTERRUPT};
    world.now_ns += world_random(20);
    if (world.idle && timer.armed_ns != TIME_NEVER)
        world.now_ns = timer.armed_ns;
    if (world.idle || timer.armed_ns <= world.now_ns)
        world_call(&c);
    else
        thread_step();
}

Test(census, is_silent_in_every_state, .timeout = 60)
{
    for (int i = 0; i < EPISODES; i++) {
        create();
        for (int j = 0; j < STEPS; j++) {
            step();
            must(census_take());
        }
    }
}

/* CLIENT's request is pending and was not read, OTHER waits for one with a deadline, RIVAL runs, the rest is ready. */
static void create_busy(void)
{
    create();
    while (sched_current() != &world.threads[RIVAL]) {
        struct call c = call_at(CALL_YIELD, NULL, TIME_NEVER);
        if (sched_current() == &world.threads[CLIENT])
            c = call_at(CALL_TRANSACT, &world.initiators[0].object, TIME_NEVER);
        if (sched_current() == &world.threads[OTHER]) {
            c = call_at(CALL_RESPOND_AND_WAIT, &world.handlers[1].object, world.now_ns + 1000);
            c.out = NULL;
        }
        world_call(&c);
    }
    must(world.threads[CLIENT].waiter.state == THREAD_WAIT_RESPONSE &&
         world.threads[OTHER].waiter.state == THREAD_WAIT_REQUEST);
}

static void lose_ready(void)
{
    runq_remove(&runq, &world.threads[RIVAL_2]);
}

static void lose_waiter(void)
{
    world.handlers[1].object.waiters = NULL;
}

static void lose_caller(void)
{
    world.initiators[0].caller = NULL;
    world.initiators[0].object.signals |= SIGNAL_WRITEABLE;
    world.handlers[0].object.signals &= ~SIGNAL_READABLE;
}

static void run_two(void)
{
    runq_remove(&runq, &world.threads[RIVAL_2]);
    world.threads[RIVAL_2].waiter.state = THREAD_RUNNING;
}

static void queue_blocked(void)
{
    runq_push(&runq, &world.threads[OTHER]);
}

static void break_queue(void)
{
    world.threads[RIVAL_2].previous = &world.threads[CLIENT];
}

static void stop_one(void)
{
    runq_remove(&runq, &world.threads[RIVAL_2]);
    world.threads[RIVAL_2].frame.rip = 1;
    world.threads[RIVAL_2].waiter.state = THREAD_STOPPED;
}

static void wait_for_what_is_there(void)
{
    world.handlers[1].object.signals |= SIGNAL_ERROR;
}

static void wait_elsewhere(void)
{
    world.threads[OTHER].wait_object = &world.handlers[0].object;
}

static void set_deadline_of_running(void)
{
    world.cells[0][RIVAL] = world.now_ns + 5000;
}

static void forget_timer(void)
{
    timer.armed_ns = TIME_NEVER;
}

static void lose_request(void)
{
    world.handlers[0].object.signals &= ~SIGNAL_READABLE;
}

static void lose_writeable(void)
{
    world.initiators[1].object.signals &= ~SIGNAL_WRITEABLE;
}

static void read_nothing(void)
{
    world.handlers[1].reading = READING_BEGUN;
}

static void swap_peers(void)
{
    world.initiators[0].peer = &world.handlers[1];
}

static void keep_dead_peer(void)
{
    world.processes[OTHER_PROCESS].stopped = true;
}

static void lose_frame(void)
{
    free_bytes -= PAGE_SIZE;
}

static void end_unseen(void)
{
    static struct task task = {.object = {.type = IMAGE_OBJECT_THREAD}, .state = TASK_ENDED};
    struct process *p = &world.processes[IDLER_PROCESS];
    task.object.process = p;
    p->objects[p->object_count++] = &task.object;
}

/* One that is sound, of the process that stays. */
static struct event_object *add_subscription(void)
{
    static struct event_object o;
    struct process *p = &world.processes[IDLER_PROCESS];
    o = (struct event_object){.object = {.type = IMAGE_OBJECT_EVENT_SUBSCRIPTION, .process = p},
                              .subscription = {.subscribed = true},
                              .depth = 2};
    p->objects[p->object_count++] = &o.object;
    must(census_take());
    return &o;
}

static struct router_object *add_router(void)
{
    static struct router_object o;
    struct process *p = &world.processes[IDLER_PROCESS];
    is_busy = waits = false;
    o = (struct router_object){.object = {.type = IMAGE_OBJECT_ROUTER, .process = p, .signals = SIGNAL_WRITEABLE}};
    p->objects[p->object_count++] = &o.object;
    must(census_take());
    return &o;
}

static void keep_event_unsignalled(void)
{
    add_subscription()->count = 1;
}

static void signal_no_event(void)
{
    add_subscription()->object.signals = SIGNAL_READABLE;
}

static void keep_too_many_events(void)
{
    struct event_object *o = add_subscription();
    o->object.signals = SIGNAL_READABLE;
    o->count = 3;
}

static void lose_subscription(void)
{
    add_subscription()->subscription.subscribed = false;
}

static void ask_and_be_free(void)
{
    add_router();
    is_busy = true;
}

static void be_busy_with_nothing(void)
{
    add_router()->object.signals = 0;
}

static void wait_for_no_answer(void)
{
    add_router();
    waits = true;
}

Test(census, tells_what_is_wrong)
{
    static void (*const breaks[])(void) = {lose_ready,
                                           lose_waiter,
                                           lose_caller,
                                           run_two,
                                           queue_blocked,
                                           break_queue,
                                           stop_one,
                                           lose_request,
                                           read_nothing,
                                           wait_elsewhere,
                                           set_deadline_of_running,
                                           forget_timer,
                                           wait_for_what_is_there,
                                           lose_writeable,
                                           swap_peers,
                                           keep_dead_peer,
                                           end_unseen,
                                           keep_event_unsignalled,
                                           signal_no_event,
                                           keep_too_many_events,
                                           lose_subscription,
                                           ask_and_be_free,
                                           be_busy_with_nothing,
                                           wait_for_no_answer,
                                           lose_frame};
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        create_busy();
        cr_assert(census_take(), "before break %zu", i);
        breaks[i]();
        cr_assert(not(census_take()), "break %zu", i);
    }
}

static uint32_t noted;

static void note(const struct inbox_message *m)
{
    (void)m;
    noted++;
}

/* Ends on two CPUs may differ while messages are under way, and only then. */
Test(census, allows_for_messages)
{
    static _Alignas(CACHE_LINE) char storage[1024];
    const struct inbox_message m = {note, {0}};
    create_on(1);
    must(census_take());
    must(channel_init(&inbox.channel, storage, sizeof storage, 4, sizeof m) == STATUS_OK);
    must(channel_send(&inbox.channel, &m) == STATUS_OK);
    world.handlers[1].dead = true;
    must(census_take());
    inbox.channel.head += CHANNEL_STEP; /* a receive without its grant */
    must(!census_take());
    inbox.channel.head -= CHANNEL_STEP;
    struct inbox_message taken;
    must(channel_try_recv(&inbox.channel, &taken) == STATUS_OK && noted == 0);
    must(!census_take());
    world.handlers[1].dead = false;
    must(census_take());
}
