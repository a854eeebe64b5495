/* SPDX-License-Identifier: MIT
 * The world: what arch and sys would supply, and how it begins. */
#include "tests/unit/ipc/endpoint_world.h"

#include "ipc/event_bus.h"
#include "mm/page.h"
#include "sys/event_object.h"
#include "sys/hotplug.h"
#include "sys/interrupt.h"
#include "sys/lib/panic.h"
#include "sys/load.h"
#include "sys/process.h"
#include "sys/shutdown.h"
#include "sys/user_module.h"
#include "tests/unit/host.h"

#include <arch/platform.h>
#include <arch/clock.h>
#include <string.h>

struct world world;
struct percpu_head percpu_head;
struct inbox inbox;

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

static void timer_arm(uint64_t ns)
{
    world.armed_ns = ns;
}

struct platform platform = {.timer_arm = timer_arm};

enum status page_alloc(size_t count, size_t align_bytes, paddr_t *out)
{
    (void)count, (void)align_bytes, (void)out;
    return STATUS_RESOURCE_EXHAUSTED;
}

void event_append(uint64_t kind_and_value, uint64_t word0, uint64_t word1, uint64_t word2)
{
    (void)word0, (void)word1, (void)word2;
    world.events[kind_and_value & 0xffff]++;
}

void hotplug_process_starts(void)
{
}

/* No process here has a subscription or a module, but in the tests of these, which bring the real ones. */
__attribute__((weak)) void event_object_stop(struct event_object *o)
{
    (void)o;
}

__attribute__((weak)) void event_object_start(struct event_object *o)
{
    (void)o;
}

__attribute__((weak)) struct user_module *user_module_of(const struct endpoint *h)
{
    (void)h;
    return NULL;
}

__attribute__((weak)) void user_module_stop(struct user_module *module)
{
    (void)module;
}

__attribute__((weak)) void user_module_start(struct user_module *module)
{
    (void)module;
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
    (void)priority;
    panic_if(world.message_count == MESSAGES_MAX || cpu >= world.cpu_count);
    world.messages[world.message_count++] = (struct message){*m, cpu};
}

void interrupt_stop(struct interrupt_object *i)
{
    i->object.signals = 0;
}

bool interrupt_prepare(struct interrupt_object *i)
{
    (void)i;
    return true;
}

void interrupt_start(struct interrupt_object *i)
{
    i->object.signals = 0;
}

static void run_loaded(const struct inbox_message *m)
{
    process_loaded((struct process *)m->word[0]);
}

void load_again(struct process *p)
{
    struct inbox_message m = {run_loaded, {(uint64_t)p}};
    inbox_send(p->cpu, &m, 0);
}

void shutdown_machine(enum shutdown_value value)
{
    panic("the machine stops with %u", value);
}

uint32_t world_random(uint32_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % n);
}

static void cpu_save(struct cpu *c)
{
    *c = (struct cpu){runq, timer, percpu_head, inbox.level, world.armed_ns, world.cr3, world.idle};
}

static void cpu_load(const struct cpu *c)
{
    runq = c->runq;
    timer = c->timer;
    percpu_head = c->head;
    inbox.level = c->level;
    world.armed_ns = c->armed_ns;
    world.cr3 = c->cr3;
    world.idle = c->idle;
}

void world_on(uint32_t cpu)
{
    if (cpu == world.cpu)
        return;
    cpu_save(&world.cpus[world.cpu]);
    cpu_load(&world.cpus[cpu]);
    world.cpu = cpu;
}

void world_save(struct snapshot *s)
{
    memcpy(&s->world, &world, sizeof(world));
    cpu_save(&s->cpu);
}

void world_load(const struct snapshot *s)
{
    memcpy(&world, &s->world, sizeof(world));
    cpu_load(&s->cpu);
}

static void object_create(struct object *o, uint16_t type, int process)
{
    struct process *p = &world.processes[process];
    struct member *m = &world.members[process][p->object_count];
    bool waits_itself = type == IMAGE_OBJECT_WAIT_GROUP;
    *o = (struct object){
        .type = type, .cpu = (uint16_t)p->cpu, .process = p, .member = m, .waitable = waits_itself ? 0 : SIGNAL_VALID};
    m->object = o;
    p->objects[p->object_count++] = o;
}

static void channel_create(int i, int initiator_process, int handler_process)
{
    struct endpoint *e = &world.initiators[i], *h = &world.handlers[i];
    object_create(&e->object, IMAGE_OBJECT_CHANNEL_INITIATOR, initiator_process);
    object_create(&h->object, IMAGE_OBJECT_CHANNEL_HANDLER, handler_process);
    e->peer = h;
    h->peer = e;
    e->remote = h->remote = e->object.cpu != h->object.cpu;
    e->local_peer = e->remote ? &endpoint_nobody : h;
    h->local_peer = e->remote ? &endpoint_nobody : e;
    e->object.signals = SIGNAL_WRITEABLE;
}

static void task_create(struct task *t, int process, struct process *p, struct thread *thread)
{
    object_create(&t->object, thread ? IMAGE_OBJECT_THREAD : IMAGE_OBJECT_PROCESS, process);
    t->process = p;
    t->thread = thread;
    t->state = TASK_RUNNING;
    if (thread)
        task_reset(t);
}

/* On the thread's CPU. */
static void thread_create(int i, uint8_t priority)
{
    static const char *const names[] = {"client", "client 2", "server", "server 2", "other", "rival", "rival 2"};
    struct thread *t = &world.threads[i];
    struct process *p = t->process;
    *t = (struct thread){.process = p, .name = names[i], .cr3 = p->cr3, .task = &world.of[i], .stack_top = 0x1000};
    t->priority = priority & (WORLD_UNBORN - 1);
    t->waiter.state = THREAD_STOPPED;
    t->task->state = TASK_READY;
    timer_adopt(p->cpu, t);
    if (priority == WORLD_ABSENT)
        return;
    t->rivals = UINT32_MAX << t->priority;
    if (priority & WORLD_UNBORN)
        return;
    t->task->state = TASK_RUNNING;
    thread_prepare(t, p->entry, 0, 0);
    t->waiter.state = THREAD_READY;
    runq_push(&runq, t);
}

static const int homes_of_threads[] = {CLIENT_PROCESS, CLIENT_PROCESS, SERVER_PROCESS, SERVER_PROCESS,
                                       OTHER_PROCESS,  IDLER_PROCESS,  IDLER_PROCESS};

static void process_create(int i, uint8_t cpu)
{
    static const char *const names[] = {"client", "server", "other", "idlers"};
    struct process *p = &world.processes[i];
    *p = (struct process){
        .cr3 = 0x1000u * (unsigned)(i + 1), .objects = world.objects[i], .cpu = cpu, .entry = 0x1000, .name = names[i]};
    for (int t = THREADS - 1; t >= 0; t--) {
        if (homes_of_threads[t] != i)
            continue;
        world.threads[t].process = p;
        p->threads = &world.threads[t];
        p->thread_count++;
    }
    world.cpu_count = cpu ? CPUS : world.cpu_count;
}

static void objects_create(void)
{
    channel_create(0, CLIENT_PROCESS, SERVER_PROCESS);
    channel_create(1, SERVER_PROCESS, OTHER_PROCESS);
    channel_create(2, CLIENT_PROCESS, SERVER_PROCESS);
    channel_create(3, OTHER_PROCESS, SERVER_PROCESS);
    for (int i = 0; i < PROCESSES; i++) {
        object_create(&world.groups[i].object, IMAGE_OBJECT_WAIT_GROUP, i);
        task_create(&world.own[i], i, &world.processes[i], NULL);
    }
    for (int i = 0; i < THREADS; i++)
        task_create(&world.of[i], homes_of_threads[i], NULL, &world.threads[i]);
    for (int i = 0; i < LINES; i++)
        object_create(&world.lines[i], IMAGE_OBJECT_INTERRUPT, SERVER_PROCESS);
    object_create(&world.bell, IMAGE_OBJECT_INTERRUPT, IDLER_PROCESS);
    for (int i = 0; i < IDLER_PROCESS; i++) {
        task_create(&world.supervised[i], IDLER_PROCESS, &world.processes[i], NULL);
        world.processes[i].supervisor = &world.supervised[i];
    }
}

static void cpu_create(uint32_t cpu, const uint8_t priorities[THREADS])
{
    memset(&runq, 0, sizeof(runq));
    timer = (struct timer){
        .armed_ns = TIME_NEVER, .slice_ns = TIME_NEVER, .deadlines = world.cells[cpu], .threads = world.owners[cpu]};
    percpu_head.cpu = world.cpu = cpu;
    world.armed_ns = TIME_NEVER;
    world.idle = false;
    for (int i = 0; i < THREADS; i++)
        if (world.threads[i].process->cpu == cpu)
            thread_create(i, priorities[i]);
    world_begin();
    cpu_save(&world.cpus[cpu]);
}

void world_create_on(const uint8_t priorities[THREADS], const uint8_t homes[PROCESSES])
{
    host_log_muted = true;
    memset(&world, 0, sizeof(world));
    world.now_ns = 1000;
    world.cpu_count = 1;
    timer_set_slice(100);
    sched_set_idle(IDLE_POLL);
    inbox.channel = (struct channel){.head = CHANNEL_MARK, .slots = empty_slot};
    for (int i = 0; i < PROCESSES; i++)
        process_create(i, homes[i]);
    process_set_count(PROCESSES + 1); /* the machine goes on without any of them */
    objects_create();
    for (uint32_t cpu = world.cpu_count; cpu-- > 0;)
        cpu_create(cpu, priorities);
    world_watch(CALL_INTERRUPT);
    world_check();
}

void world_create(const uint8_t priorities[THREADS])
{
    world_create_on(priorities, (const uint8_t[PROCESSES]){0});
}
