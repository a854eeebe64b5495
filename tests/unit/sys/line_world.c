/* SPDX-License-Identifier: MIT
 * The hardware below sys/line.c, and the parts of the kernel beside it. */
#include "tests/unit/sys/line_world.h"

#include "arch/x86_64/asm.h"
#include "arch/x86_64/ioapic.h"
#include "ipc/event_bus.h"
#include "sched/inbox.h"
#include "sys/lib/panic.h"

#include <arch/apic.h>
#include <string.h>

#define QUEUE 64

struct device devices[LINES];
struct interrupt_object objects[CPUS];
uint8_t *world_routes;
struct process processes[CPUS];
struct percpu_head percpu_head;
struct inbox inbox;
struct runq runq;
struct timer timer;

static struct apic {
    bool requested[256], in_service[256];
} apics[CPUS];

static struct queue {
    struct inbox_message messages[QUEUE];
    size_t count;
} queues[CPUS];

void event_append(uint64_t kind_and_value, uint64_t word0, uint64_t word1, uint64_t word2)
{
    (void)kind_and_value, (void)word0, (void)word1, (void)word2;
}

static struct device *device_of(uint32_t number)
{
    for (size_t i = 0; i < LINES; i++)
        if (devices[i].number == number)
            return &devices[i];
    return NULL;
}

static void become(uint32_t cpu)
{
    percpu_head.cpu = cpu;
    percpu_head.apic_id = cpu;
}

/* The IO-APIC sends what is there. */
static void level_look(struct device *d)
{
    if (!d->is_level || !d->work || d->masked || d->remote_irr)
        return;
    d->remote_irr = true;
    apics[d->cpu].requested[d->vector] = true;
}

bool ioapic_has(uint32_t gsi)
{
    return world_routes || device_of(gsi);
}

bool ioapic_is_level(uint32_t gsi)
{
    return world_routes ? gsi >= 200 : device_of(gsi)->is_level;
}

enum status ioapic_route(uint32_t gsi, uint8_t vector, uint32_t apic_id)
{
    if (world_routes) {
        world_routes[gsi] = vector;
        return STATUS_OK;
    }
    struct device *d = device_of(gsi);
    panic_if(percpu_head.cpu != 0 || d->vector || apic_id >= CPUS);
    d->vector = vector;
    return STATUS_OK;
}

void ioapic_mask(uint32_t gsi)
{
    panic_if(percpu_head.cpu != 0);
    device_of(gsi)->masked = true;
}

void ioapic_unmask(uint32_t gsi)
{
    panic_if(percpu_head.cpu != 0);
    device_of(gsi)->masked = false;
    level_look(device_of(gsi));
}

static int highest(const bool *vectors)
{
    for (int v = 255; v >= 0; v--)
        if (vectors[v])
            return v;
    return -1;
}

void apic_eoi(void)
{
    int v = highest(apics[percpu_head.cpu].in_service);
    panic_if(v < 0);
    apics[percpu_head.cpu].in_service[v] = false;
    for (size_t i = 0; i < LINES; i++) { /* told to the IO-APIC by vector */
        struct device *d = &devices[i];
        if (!d->is_level || d->vector != v)
            continue;
        panic_if(d->cpu != percpu_head.cpu); /* that of another CPU's line */
        d->remote_irr = false;
        level_look(d);
    }
}

bool cpu_serves(uint32_t cpu, uint8_t vector)
{
    return apics[cpu].in_service[vector];
}

bool cpu_interrupt(uint32_t cpu)
{
    struct apic *a = &apics[cpu];
    int v = highest(a->requested), served = highest(a->in_service);
    if (v < 0 || v >> 4 <= (served < 0 ? 0 : served >> 4))
        return false;
    become(cpu);
    a->requested[v] = false;
    a->in_service[v] = true;
    for (size_t i = 0; i < LINES; i++)
        devices[i].interrupts += devices[i].vector == v;
    panic_if(!line_interrupt((uint64_t)v));
    return true;
}

void cpu_request(uint32_t cpu, uint8_t vector)
{
    apics[cpu].requested[vector] = true;
}

void inbox_send(uint32_t cpu, const struct inbox_message *m, uint8_t priority)
{
    struct queue *q = &queues[cpu];
    (void)priority;
    q->messages[q->count++] = *m;
    panic_if(q->count > LINES * (1 + LINE_MESSAGES));
    size_t same = 0;
    for (size_t i = 0; i < q->count; i++)
        same += q->messages[i].run == m->run && q->messages[i].word[0] == m->word[0];
    panic_if(same > 1); /* of each kind for each line */
}

size_t cpu_messages(uint32_t cpu)
{
    return queues[cpu].count;
}

bool cpu_message(uint32_t cpu)
{
    struct queue *q = &queues[cpu];
    if (!q->count)
        return false;
    become(cpu);
    struct inbox_message m = q->messages[0];
    memmove(q->messages, q->messages + 1, --q->count * sizeof m);
    m.run(&m);
    return true;
}

/* Nobody waits, but polls: the tests' drivers. */
struct thread *object_raise_waited(struct object *o, uint32_t signals)
{
    (void)o, (void)signals;
    panic("nobody waits");
}

void sched_ready(struct thread *t)
{
    (void)t;
    panic("nobody waits");
}

uint64_t percpu_offset(uint32_t cpu)
{
    (void)cpu;
    return 1;
}

void device_want(struct device *d)
{
    bool rises = d->work++ == 0;
    if (d->is_level)
        level_look(d);
    else if (rises && !d->masked)
        apics[d->cpu].requested[d->vector] = true;
}

bool driver_signalled(const struct device *d)
{
    return objects[d->cpu].object.signals & SIGNAL_INTERRUPT_A << d->index;
}

void driver_serve(struct device *d)
{
    d->work = 0;
}

void driver_acknowledge(struct device *d)
{
    become(d->cpu);
    d->interrupts = 0;
    enum status s = interrupt_ack(&objects[d->cpu], SIGNAL_INTERRUPT_A << d->index);
    panic_if(s != STATUS_OK);
}

void process_toggle(uint32_t cpu)
{
    struct process *p = &processes[cpu];
    become(cpu);
    if (!p->stopped) {
        p->stopped = true;
        interrupt_stop(&objects[cpu]);
    } else {
        p->loading = true;
        if (!interrupt_prepare(&objects[cpu]))
            return;
        p->stopped = p->loading = false;
        interrupt_start(&objects[cpu]);
    }
    for (size_t i = 0; i < LINES; i++) {
        if (devices[i].cpu != cpu)
            continue;
        devices[i].driver = IDLE;
        devices[i].interrupts = 0;
        if (!p->stopped) /* what every driver does first */
            driver_serve(&devices[i]);
    }
}

void trigger(const struct device *d, uint32_t from_cpu)
{
    become(from_cpu);
    panic_if(interrupt_trigger(d->number) != STATUS_OK);
}

void world_begin(void)
{
    become(0);
    for (uint32_t i = 0; i < LINES; i++)
        devices[i] =
            (struct device){.number = i < 4 ? 4 + i : 12 + i, .is_level = i >= 4, .cpu = i & 1, .masked = true};
    for (uint32_t cpu = 0; cpu < CPUS; cpu++)
        objects[cpu].object =
            (struct object){.cpu = (uint16_t)cpu, .process = &processes[cpu], .waitable = SIGNAL_VALID};
    for (uint32_t i = 0; i < LINES; i++) {
        struct interrupt_object *o = &objects[devices[i].cpu];
        devices[i].index = o->count;
        panic_if(interrupt_add(o, devices[i].number) != STATUS_OK);
        panic_if(devices[i].masked || !devices[i].vector);
    }
}
