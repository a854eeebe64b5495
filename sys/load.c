/* SPDX-License-Identifier: MIT
 * Loading. Everything the kernel will ever need for the image is allocated here, in arrays of the sizes that the image
 * states. */
#include "sys/load.h"

#include "arch/x86_64/asm.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/steal.h"
#include "ipc/endpoint.h"
#include "ipc/event_bus.h"
#include "ipc/router.h"
#include "ipc/wait_group.h"
#include "mm/page.h"
#include "perf/hist.h"
#include "sched/inbox.h"
#include "sched/process.h"
#include "sched/sched.h"
#include "sys/abi/layout.h"
#include "sys/device.h"
#include "sys/event_object.h"
#include "sys/histogram_object.h"
#include "sys/image.h"
#include "sys/interrupt.h"
#include "sys/lib/log.h"
#include "sys/lib/panic.h"
#include "sys/lib/string.h"
#include "sys/line.h"
#include "sys/process.h"
#include "sys/router_object.h"
#include "sys/syscall/hook.h"
#include "sys/task.h"
#include "sys/user_buffer.h"
#include "sys/user_module.h"
#include "sys/vdso/sysenter.h"
#include "sys/vdso/vdso.h"

#include <arch/entry.h>
#include <arch/percpu.h>

/* Of no object: shutdown by each CPU; wakes of log, bus, router; the start of the bus and of the sampler, hotplug, a
 * bench's partner. */
#define INBOX_SLACK (CPU_MAX + 7)
/* ipc/endpoint_remote.c: six to a handler, five to an initiator. sys/task.c: TERMINATE, START and TERMINATE again to a
 * process, one to its supervisor; one of load_again's. Of an interrupt: the trigger, and those of its
 * line. */
#define MESSAGES_PER_OBJECT 6
#define MESSAGES_PER_INTERRUPT (1 + LINE_MESSAGES)
#define LOAD_STEP_BYTES 65536

/* The tables of the running image. */
static struct process *processes;
static uint32_t process_count;
static struct thread *threads;
static union object_slot {
    struct object object;
    struct endpoint endpoint;
    struct histogram_object histogram;
    struct wait_group wait_group;
    struct interrupt_object interrupt;
    struct task task;
    struct event_object event;
    struct router_object router;
} * objects;
static struct member *members;
static struct user_module *modules;
static uint32_t module_count;
static const struct image_header *running_image; /* for processes that start again */

static void *table_alloc(size_t count, size_t bytes)
{
    paddr_t p;
    size_t pages = (count * bytes + PAGE_SIZE - 1) / PAGE_SIZE;
    return page_alloc(pages ? pages : 1, PAGE_SIZE, &p) == STATUS_OK ? phys_to_virt(p) : NULL;
}

static uint32_t region_page_flags(uint32_t flags)
{
    return PAGE_USER | (flags & IMAGE_REGION_WRITE ? PAGE_WRITE : 0) |
           (flags & IMAGE_REGION_EXECUTE ? PAGE_EXECUTE : 0);
}

/* One region: memory, contents, mapping. */
static enum status load_region(const struct image_header *image, const struct image_region *from, paddr_t root,
                               struct region *to)
{
    paddr_t p;
    enum status s = page_alloc(from->bytes / PAGE_SIZE, PAGE_SIZE, &p);
    if (s != STATUS_OK)
        return s;
    char *memory = phys_to_virt(p);
    *to = (struct region){.end = from->address + from->bytes,
                          .bytes = from->bytes,
                          .to_kernel = (uint64_t)memory - from->address,
                          .flags = from->flags};
    memcpy(memory, image_region_bytes(image, from), from->file_bytes);
    return paging_map(root, from->address, p, from->bytes, region_page_flags(from->flags));
}

static enum status load_regions(const struct image_header *image, const struct image_process *from, paddr_t root,
                                struct process *p)
{
    if (!(p->regions = table_alloc(from->regions, sizeof(struct region))))
        return STATUS_RESOURCE_EXHAUSTED;
    for (; p->region_count < from->regions; p->region_count++) {
        const struct image_region *r = image_regions(image) + from->first_region + p->region_count;
        struct region *to = &p->regions[p->region_count];
        enum status s = load_region(image, r, root, to);
        if (s != STATUS_OK)
            return s;
        if (to->flags & IMAGE_REGION_WRITE)
            p->hot[USER_IN] = p->hot[USER_OUT] = *to; /* image_check saw that the stack is one */
    }
    uint64_t found = entry_is_sysenter() ? sysenter_find(p->regions, p->region_count) : 0;
    if (!found)
        return STATUS_OK;
    log_error("process '%s' has the bytes of SYSENTER in an executable page, at %#lx: entry=sysenter forbids it",
              p->name, found);
    return STATUS_PERMISSION_DENIED;
}

/* What every process has beside its regions; the kernel's memory. */
static enum status map_vdso(paddr_t root, const struct vvar *vvar, const struct process *p)
{
    paddr_t page;
    enum status s = page_alloc(1, PAGE_SIZE, &page);
    if (s != STATUS_OK)
        return s;
    struct vvar *own = phys_to_virt(page);
    *own = *vvar;
    own->cpu = p->cpu;
    own->process = p->index;
    s = paging_map(root, USER_VVAR_BASE, page, PAGE_SIZE, PAGE_USER);
    if (s == STATUS_OK)
        s = paging_map(root, USER_STEAL_BASE, steal_page(), PAGE_SIZE, PAGE_USER);
    return s == STATUS_OK ? vdso_map(root) : s;
}

static void load_thread(const struct image_thread *from, struct process *p, struct thread *t)
{
    t->process = p;
    t->cr3 = p->cr3;
    t->name = from->name;
    t->priority = (uint8_t)from->priority;
    t->rivals = ~0u << from->priority;
    t->stack_top = from->stack_top;
    t->waiter.state = THREAD_STOPPED;
    timer_adopt(p->cpu, t);
}

/* The main thread is ready; the others wait for thread_start. */
static void load_threads(const struct image_header *image, const struct image_process *from, struct process *p)
{
    p->threads = &threads[from->first_thread];
    p->thread_count = from->threads;
    for (uint32_t i = 0; i < from->threads; i++)
        load_thread(image_threads(image) + from->first_thread + i, p, &p->threads[i]);
    thread_prepare(p->threads, p->entry, 0, 0);
    p->threads->waiter.state = THREAD_READY;
    runq_push(cpu_ptr(p->cpu, runq), p->threads); /* remote, but that CPU does not run threads yet */
}

static bool load_handles(const struct image_process *from, struct process *p)
{
    static struct object nothing;
    p->object_count = from->objects;
    while (p->object_mask + 1 < from->objects)
        p->object_mask = p->object_mask * 2 + 1;
    p->objects = table_alloc(p->object_mask + 1, sizeof(struct object *));
    for (uint32_t i = 0; p->objects && i <= p->object_mask; i++)
        p->objects[i] = i < from->objects ? &objects[from->first_object + i].object : &nothing;
    return p->objects;
}

static enum status load_process(const struct image_header *image, uint32_t index, const struct vvar *vvar)
{
    const struct image_process *from = image_processes(image) + index;
    struct process *p = &processes[index];
    paddr_t root;
    p->name = from->name;
    p->index = index;
    p->cpu = from->cpu;
    p->entry = from->entry;
    enum status s = paging_create(&root);
    if (s == STATUS_OK)
        s = load_regions(image, from, root, p);
    if (s == STATUS_OK)
        s = device_load(image, from, root, p);
    if (s == STATUS_OK)
        s = map_vdso(root, vvar, p);
    if (s != STATUS_OK)
        return s;
    p->cr3 = paging_cr3(root, index);
    if (!load_handles(from, p))
        return STATUS_RESOURCE_EXHAUSTED;
    load_threads(image, from, p);
    return STATUS_OK;
}

/* The kernel's address of a user address that image_check found to be inside a region of the process. */
static void *region_kernel(const struct process *p, uint64_t address)
{
    for (uint32_t i = 0; i < p->region_count; i++)
        if (region_holds(&p->regions[i], address, 1))
            return (void *)(address + p->regions[i].to_kernel);
    panic("address %#lx is in no region of '%s'", address, p->name);
}

static void load_endpoint(const struct image_header *image, const struct image_object *from, struct endpoint *e)
{
    struct endpoint *peer = &objects[from->peer].endpoint;
    bool local = processes[(image_objects(image) + from->peer)->process].cpu == e->object.cpu;
    e->peer = peer;
    e->remote = !local;
    e->local_peer = local ? peer : &endpoint_nobody;
    if (from->type == IMAGE_OBJECT_CHANNEL_INITIATOR)
        e->object.signals = SIGNAL_WRITEABLE;
}

static void load_task(const struct image_object *from, struct task *t)
{
    t->state = TASK_RUNNING;
    if (from->type == IMAGE_OBJECT_THREAD) {
        t->thread = &threads[from->peer];
        t->thread->task = t;
        task_reset(t);
        return;
    }
    t->process = &processes[from->peer];
    if (t->process != t->object.process)
        t->process->supervisor = t;
}

static void load_module(const struct image_object *from, struct endpoint *h)
{
    user_module_load(&modules[module_count], h, from->name, module_count);
    module_count++;
}

static const char *why_no_interrupt(enum status s)
{
    switch (s) {
    case STATUS_NOT_FOUND:
        return "no IO-APIC has it";
    case STATUS_RESOURCE_EXHAUSTED:
        return "no vector is left for it";
    default:
        return "no IO-APIC can send it to its CPU";
    }
}

static enum status load_interrupts(const struct image_header *image, const struct image_object *from,
                                   struct interrupt_object *i)
{
    for (uint32_t n = 0; n < from->interrupts; n++) {
        uint32_t number = (image_interrupts(image) + from->first_interrupt + n)->number;
        enum status s = interrupt_add(i, number);
        if (s != STATUS_OK) {
            log_error("interrupt %u of process '%s': %s", number, i->object.process->name, why_no_interrupt(s));
            return STATUS_FAILED_PRECONDITION;
        }
    }
    return STATUS_OK;
}

static enum status load_subscription(const struct image_header *image, const struct image_object *from,
                                     struct event_object *o)
{
    const struct image_subscription *wanted = image_subscriptions(image) + from->peer;
    struct event *ring = table_alloc(wanted->depth, sizeof(struct event));
    enum status s = ring ? event_object_load(o, wanted, ring) : STATUS_RESOURCE_EXHAUSTED;
    if (s != STATUS_OK)
        log_error("subscription '%s' of process '%s': %s", from->name, o->object.process->name,
                  ring ? "the image has too many names of events and modules" : "no memory is left for it");
    return s;
}

static enum status load_router(struct router_object *o)
{
    struct router_request_room *room = table_alloc(1, sizeof(struct router_request_room));
    if (room)
        router_object_load(o, room);
    return room ? STATUS_OK : STATUS_RESOURCE_EXHAUSTED;
}

static enum status load_object(const struct image_header *image, uint32_t index)
{
    const struct image_object *from = image_objects(image) + index;
    struct process *p = &processes[from->process];
    union object_slot *to = &objects[index];
    to->object = (struct object){.type = (uint16_t)from->type,
                                 .cpu = (uint16_t)p->cpu,
                                 .process = p,
                                 .member = &members[index],
                                 .waitable = SIGNAL_VALID};
    members[index].object = &to->object;
    switch (from->type) {
    case IMAGE_OBJECT_HISTOGRAM:
        to->object.waitable = 0;
        to->histogram.histogram = region_kernel(p, (image_regions(image) + from->region)->address);
        hist_init_zeroed(to->histogram.histogram);
        break;
    case IMAGE_OBJECT_WAIT_GROUP:
        to->object.waitable = 0;
        break;
    case IMAGE_OBJECT_INTERRUPT:
        return load_interrupts(image, from, &to->interrupt);
    case IMAGE_OBJECT_PROCESS:
    case IMAGE_OBJECT_THREAD:
        load_task(from, &to->task);
        break;
    case IMAGE_OBJECT_EVENT_SUBSCRIPTION:
        return load_subscription(image, from, &to->event);
    case IMAGE_OBJECT_ROUTER:
        return load_router(&to->router);
    default:
        if (from->peer != IMAGE_NONE)
            load_endpoint(image, from, &to->endpoint);
        else
            load_module(from, &to->endpoint);
    }
    return STATUS_OK;
}

/* Per-CPU tables, sized by what the image puts on each CPU. */
static enum status load_cpus(const struct image_header *image, uint32_t cpus)
{
    for (uint32_t i = 0; i < image->processes; i++) {
        const struct image_process *p = image_processes(image) + i;
        if (p->cpu >= cpus) {
            log_error("process '%s' wants CPU %u, but %u run (0 to %u); start the guest with more", p->name, p->cpu,
                      cpus, cpus - 1);
            return STATUS_FAILED_PRECONDITION;
        }
    }
    hook_init(cpus);
    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        timer_create(cpu, image->threads);
        event_bus_create(cpu);
        router_create(cpu);
        inbox_create(cpu, image->objects * MESSAGES_PER_OBJECT + image->interrupts * MESSAGES_PER_INTERRUPT +
                              hook_messages(cpus) + INBOX_SLACK);
    }
    return STATUS_OK;
}

static uint32_t count_modules(const struct image_header *image)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < image->objects; i++) {
        const struct image_object *o = image_objects(image) + i;
        n += o->type == IMAGE_OBJECT_CHANNEL_HANDLER && o->peer == IMAGE_NONE;
    }
    return n;
}

enum status load_image(const struct image_header *image, const struct vvar *vvar, uint32_t cpus)
{
    processes = table_alloc(image->processes, sizeof(struct process));
    threads = table_alloc(image->threads, sizeof(struct thread));
    objects = table_alloc(image->objects, sizeof(union object_slot));
    members = table_alloc(image->objects, sizeof(struct member));
    modules = table_alloc(count_modules(image), sizeof(struct user_module));
    if (!processes || !threads || !objects || !members || !modules)
        return STATUS_RESOURCE_EXHAUSTED;
    running_image = image;
    enum status s = load_cpus(image, cpus);
    if (s == STATUS_OK)
        s = vdso_create();
    for (uint32_t i = 0; s == STATUS_OK && i < image->processes; i++)
        s = load_process(image, i, vvar);
    for (uint32_t i = 0; s == STATUS_OK && i < image->objects; i++)
        s = load_object(image, i);
    process_set_count(image->processes);
    process_count = image->processes;
    return s;
}

bool load_register_modules(void)
{
    for (uint32_t i = 0; i < module_count; i++) {
        enum status s = user_module_register(&modules[i]);
        if (s != STATUS_OK) {
            log_error("module '%s': %s", modules[i].router.name,
                      s == STATUS_RESOURCE_EXHAUSTED ? "too many names of events and modules"
                                                     : "the kernel has one of this name");
            return false;
        }
    }
    return true;
}

static void run_load(const struct inbox_message *m);

static void load_next(struct process *p, uint32_t region, uint64_t offset)
{
    struct inbox_message m = {run_load, {(uint64_t)p, region, offset}};
    inbox_send(p->cpu, &m, p->threads->priority);
}

/* `bytes` from `offset` on, as they were at boot. */
static void load_part(const struct image_region *from, char *memory, uint64_t offset, uint64_t bytes)
{
    uint64_t copied = 0;
    if (offset < from->file_bytes) {
        copied = from->file_bytes - offset < bytes ? from->file_bytes - offset : bytes;
        memcpy(memory + offset, (const char *)image_region_bytes(running_image, from) + offset, copied);
    }
    memset(memory + offset + copied, 0, bytes - copied);
}

/* One step: the inbox runs other messages between two of them. Read-only regions are as they were. */
static void run_load(const struct inbox_message *m)
{
    struct process *p = (struct process *)m->word[0];
    uint32_t index = (uint32_t)m->word[1];
    if (index == p->region_count) {
        if (!process_loaded(p))
            load_next(p, index, 0);
        return;
    }
    const struct region *to = &p->regions[index];
    const struct image_region *from =
        image_regions(running_image) + image_processes(running_image)[p->index].first_region;
    uint64_t offset = m->word[2], left = to->flags & IMAGE_REGION_WRITE ? to->bytes - offset : 0;
    uint64_t bytes = left < LOAD_STEP_BYTES ? left : LOAD_STEP_BYTES;
    load_part(&from[index], (char *)(to->end - to->bytes + to->to_kernel), offset, bytes);
    if (bytes < left)
        load_next(p, index, offset + bytes);
    else
        load_next(p, index + 1, 0);
}

void load_again(struct process *p)
{
    load_next(p, 0, 0);
}

const struct process *load_processes(uint32_t *count)
{
    *count = process_count;
    return processes;
}

const char *load_object_name(const struct object *o)
{
    return image_objects(running_image)[(const union object_slot *)o - objects].name;
}
