/* SPDX-License-Identifier: MIT
 * image_check: a system image may be a boot module that anybody wrote, so each number in it is tested before it is
 * used. The order is: header, checksum, table bounds, then one walk over the processes, each with its regions, devices,
 * threads and objects. Every check returns NULL or the sentence that goes to the log. Boot CPU only, before other CPUs
 * run. Sums of 32-bit numbers are made in 64 bits, and ends are compared as `length > limit - start`, so nothing wraps.
 */
#include "sys/image.h"
#include <stdbool.h>
#include <stddef.h>
#include "sys/abi/event.h"
#include "sys/abi/histogram.h"
#include "sys/abi/layout.h"
#include "sys/lib/crc32.h"

_Static_assert(USER_PROCESS_BASE + (uint64_t)USER_PROCESS_MAX * USER_PROCESS_STRIDE <= USER_END, "slots fit");
_Static_assert(IMAGE_NAME_BYTES == EVENT_NAME_BYTES, "names of modules and events are as in the image");
_Static_assert(USER_PAGE_SIZE % 16 == 0, "a stack that ends with its region is aligned");

/* What the walk has seen: `next` is the process that would own the next entry of each table; bits, one per process,
 * interrupt number or thread, stand for those that an object names already. */
struct walk {
    struct image_process next;
    uint32_t next_interrupt, next_subscription;
    uint32_t modules;
    const char *module_names[IMAGE_MODULES_MAX];
    uint64_t supervised[(USER_PROCESS_MAX + 63) / 64];
    uint64_t interrupts[IMAGE_INTERRUPT_MAX / 64];
    uint64_t threads[IMAGE_THREADS_MAX / 64];
};

/* False if the bit was set already. */
static bool bit_claim(uint64_t *bits, uint32_t i)
{
    const uint64_t bit = UINT64_C(1) << i % 64;
    const bool is_free = !(bits[i / 64] & bit);
    bits[i / 64] |= bit;
    return is_free;
}

static uint32_t image_crc(const struct image_header *h)
{
    static const unsigned char zero[sizeof(h->checksum)];
    const unsigned char *p = (const unsigned char *)h;
    const uint64_t before = offsetof(struct image_header, checksum), after = before + sizeof(zero);

    crc32_begin();
    uint32_t crc = crc32_update(~0u, p, before);
    crc = crc32_update(crc, zero, sizeof(zero));
    return ~crc32_update(crc, p + after, h->bytes - after);
}

/* Printable ASCII, then NUL to the end: names go to logs and terminals as they are. */
static bool name_fits(const char name[IMAGE_NAME_BYTES])
{
    size_t n = 0;
    while (n < IMAGE_NAME_BYTES && name[n] >= ' ' && name[n] <= '~')
        n++;
    if (n == 0 || n == IMAGE_NAME_BYTES)
        return false;
    for (; n < IMAGE_NAME_BYTES; n++) {
        if (name[n])
            return false;
    }
    return true;
}

/* A name that is known by its number (ipc/name.h): no blanks, since texts in which it stands are cut at them. */
static bool name_fits_bus(const char name[IMAGE_NAME_BYTES])
{
    bool has_blank = false;
    for (size_t i = 0; i < IMAGE_NAME_BYTES; i++)
        has_blank |= name[i] == ' ';
    return name_fits(name) && !has_blank;
}

static bool name_is(const char *a, const char *b)
{
    return !__builtin_memcmp(a, b, IMAGE_NAME_BYTES);
}

static bool table_fits(const struct image_header *h, uint32_t offset, uint32_t count, size_t entry_bytes)
{
    return offset % 8 == 0 && offset >= sizeof(*h) && offset <= h->bytes &&
           (uint64_t)count * entry_bytes <= h->bytes - offset;
}

static const char *check_header(const struct image_header *h)
{
    if (h->reserved)
        return "a reserved field of the header is not zero";
    if (!name_fits(h->name))
        return "the image's name is empty, not terminated or not printable";
    if (h->processes < 1 || h->processes > USER_PROCESS_MAX)
        return "the number of processes is out of range";
    if (h->threads > IMAGE_THREADS_MAX || h->objects > IMAGE_OBJECTS_MAX || h->regions > IMAGE_REGIONS_MAX)
        return "too many threads, objects or regions";
    if (h->interrupts > IMAGE_INTERRUPT_MAX || h->devices > IMAGE_DEVICES_MAX)
        return "too many interrupts or devices";
    if (h->subscriptions > IMAGE_OBJECTS_MAX)
        return "too many subscriptions";
    if (!table_fits(h, h->processes_offset, h->processes, sizeof(struct image_process)) ||
        !table_fits(h, h->threads_offset, h->threads, sizeof(struct image_thread)) ||
        !table_fits(h, h->objects_offset, h->objects, sizeof(struct image_object)) ||
        !table_fits(h, h->regions_offset, h->regions, sizeof(struct image_region)) ||
        !table_fits(h, h->interrupts_offset, h->interrupts, sizeof(struct image_interrupt)) ||
        !table_fits(h, h->devices_offset, h->devices, sizeof(struct image_device)) ||
        !table_fits(h, h->subscriptions_offset, h->subscriptions, sizeof(struct image_subscription)))
        return "a table is not 8-aligned or leaves the file";
    return NULL;
}

/* `floor` is the lowest address that is still free in the slot of the process, which ends at `slot_end`. */
static const char *check_region(const struct image_header *h, const struct image_region *r, uint64_t floor,
                                uint64_t slot_end)
{
    const uint32_t known = IMAGE_REGION_READ | IMAGE_REGION_WRITE | IMAGE_REGION_EXECUTE;
    const uint32_t both = IMAGE_REGION_WRITE | IMAGE_REGION_EXECUTE;

    if (r->flags & ~known || !(r->flags & IMAGE_REGION_READ))
        return "a region's flags are unknown or leave it unreadable";
    if ((r->flags & both) == both)
        return "a region is writable and executable";
    if (r->address % USER_PAGE_SIZE || r->bytes % USER_PAGE_SIZE || !r->bytes)
        return "a region is empty or not made of pages";
    if (r->address < floor || r->address > slot_end || r->bytes > slot_end - r->address)
        return "a region overlaps, is out of order or leaves the slot of its process";
    if (r->file_bytes > r->bytes)
        return "a region has more bytes in the file than in memory";
    if (r->file_offset > h->bytes || r->file_bytes > h->bytes - r->file_offset)
        return "a region's bytes leave the file";
    return NULL;
}

static const char *check_regions(const struct image_header *h, const struct image_process *p, uint32_t self)
{
    const struct image_region *regions = image_regions(h) + p->first_region;
    uint64_t floor = USER_PROCESS_BASE + (uint64_t)self * USER_PROCESS_STRIDE;
    const uint64_t slot_end = floor + USER_PROCESS_STRIDE;
    bool has_entry = false;

    for (uint32_t i = 0; i < p->regions; i++) {
        const struct image_region *r = &regions[i];
        if (r->process != self)
            return "a region names another process than the one that lists it";
        const char *why = check_region(h, r, floor, slot_end);
        if (why)
            return why;
        floor = r->address + r->bytes;
        if (r->flags & IMAGE_REGION_EXECUTE && p->entry >= r->address && p->entry < floor)
            has_entry = true;
    }
    return has_entry ? NULL : "a process's entry is in none of its executable regions";
}

static const char *check_ports(const struct image_device *d)
{
    if (d->address)
        return "a range of ports has an address in memory";
    if (d->physical >= IMAGE_PORTS_END || !d->bytes || d->bytes > IMAGE_PORTS_END - d->physical)
        return "a range of ports is empty or leaves the ports there are";
    return NULL;
}

/* As for check_region; `floor` is above the device memory before. */
static const char *check_device_memory(const struct image_header *h, const struct image_process *p,
                                       const struct image_device *d, uint64_t floor, uint64_t slot_end)
{
    const struct image_region *regions = image_regions(h) + p->first_region;

    if (d->address % USER_PAGE_SIZE || d->physical % USER_PAGE_SIZE || d->bytes % USER_PAGE_SIZE || !d->bytes)
        return "device memory is empty or not made of pages";
    if (d->address < floor || d->address > slot_end || d->bytes > slot_end - d->address)
        return "device memory overlaps, is out of order or leaves the slot of its process";
    if (d->physical > IMAGE_PHYSICAL_END || d->bytes > IMAGE_PHYSICAL_END - d->physical)
        return "device memory leaves the physical addresses";
    for (uint32_t i = 0; i < p->regions; i++) {
        const struct image_region *r = &regions[i];
        if (d->address < r->address + r->bytes && r->address < d->address + d->bytes)
            return "device memory overlaps a region";
    }
    return NULL;
}

static const char *check_devices(const struct image_header *h, const struct image_process *p, uint32_t self)
{
    const struct image_device *devices = image_devices(h) + p->first_device;
    uint64_t floor = USER_PROCESS_BASE + (uint64_t)self * USER_PROCESS_STRIDE;
    const uint64_t slot_end = floor + USER_PROCESS_STRIDE;

    for (uint32_t i = 0; i < p->devices; i++) {
        const struct image_device *d = &devices[i];
        const char *why = "a device's kind is unknown";
        if (d->process != self)
            return "a device names another process than the one that lists it";
        if (d->kind == IMAGE_DEVICE_PORTS)
            why = check_ports(d);
        else if (d->kind == IMAGE_DEVICE_MEMORY)
            why = check_device_memory(h, p, d, floor, slot_end);
        if (why)
            return why;
        if (d->kind == IMAGE_DEVICE_MEMORY)
            floor = d->address + d->bytes;
    }
    return NULL;
}

static const char *check_thread(const struct image_header *h, const struct image_process *p, uint32_t self,
                                const struct image_thread *t)
{
    const struct image_region *regions = image_regions(h) + p->first_region;

    if (!name_fits(t->name))
        return "a thread's name is empty, not terminated or not printable";
    if (t->process != self)
        return "a thread names another process than the one that lists it";
    if (t->priority >= IMAGE_PRIORITIES)
        return "a thread's priority is out of range";
    if (t->stack_top % 16)
        return "a thread's stack is not 16-aligned";
    for (uint32_t i = 0; i < p->regions; i++) {
        const struct image_region *r = &regions[i];
        if (r->flags & IMAGE_REGION_WRITE && t->stack_top > r->address && t->stack_top - r->address <= r->bytes)
            return NULL;
    }
    return "a thread's stack is in no writable region of its process";
}

static const char *check_threads(const struct image_header *h, const struct image_process *p, uint32_t self)
{
    const char *why = NULL;
    for (uint32_t i = 0; !why && i < p->threads; i++)
        why = check_thread(h, p, self, &image_threads(h)[p->first_thread + i]);
    return why;
}

static const char *check_module(const struct image_object *o, struct walk *w)
{
    if (!name_fits_bus(o->name))
        return "a module's name has a blank";
    if (w->modules == IMAGE_MODULES_MAX)
        return "too many modules";
    for (uint32_t i = 0; i < w->modules; i++) {
        if (name_is(w->module_names[i], o->name))
            return "two modules have one name";
    }
    w->module_names[w->modules++] = o->name;
    return NULL;
}

static const char *check_channel(const struct image_header *h, const struct image_object *o, uint32_t index,
                                 struct walk *w)
{
    const uint32_t other_type =
        o->type == IMAGE_OBJECT_CHANNEL_HANDLER ? IMAGE_OBJECT_CHANNEL_INITIATOR : IMAGE_OBJECT_CHANNEL_HANDLER;

    if (o->region != IMAGE_NONE)
        return "an end of a channel names a region";
    if (o->type == IMAGE_OBJECT_CHANNEL_HANDLER && o->peer == IMAGE_NONE)
        return check_module(o, w);
    if (o->peer >= h->objects)
        return "an end of a channel has no peer";
    const struct image_object *peer = &image_objects(h)[o->peer];
    if (peer->peer != index || peer->type != other_type)
        return "the two ends of a channel do not name each other";
    if (peer->process == o->process)
        return "both ends of a channel are in one process";
    return NULL;
}

static const char *check_histogram(const struct image_header *h, const struct image_object *o)
{
    if (o->peer != IMAGE_NONE)
        return "a histogram names a peer";
    if (o->region >= h->regions)
        return "a histogram has no region";
    const struct image_region *r = &image_regions(h)[o->region];
    if (r->process != o->process || !(r->flags & IMAGE_REGION_WRITE))
        return "a histogram's region is read-only or belongs to another process";
    if (r->bytes < HISTOGRAM_BYTES)
        return "a histogram's region is too small";
    return NULL;
}

static const char *check_interrupts(const struct image_header *h, const struct image_object *o, uint32_t index,
                                    struct walk *w)
{
    if (o->first_interrupt != w->next_interrupt)
        return "the interrupts of an object do not follow those of the object before";
    if (o->interrupts < 1 || o->interrupts > IMAGE_INTERRUPTS_PER_OBJECT)
        return "an interrupt object has no interrupts or too many";
    if (o->interrupts > h->interrupts - o->first_interrupt)
        return "an object lists interrupts that their table does not have";
    w->next_interrupt += o->interrupts;
    const struct image_interrupt *lines = image_interrupts(h) + o->first_interrupt;
    for (uint32_t i = 0; i < o->interrupts; i++) {
        if (lines[i].object != index)
            return "an interrupt names another object than the one that lists it";
        if (lines[i].number >= IMAGE_INTERRUPT_MAX)
            return "an interrupt's number is out of range";
        if (!bit_claim(w->interrupts, lines[i].number))
            return "an interrupt's number is given twice";
    }
    return NULL;
}

static const char *check_subscription_names(const struct image_subscription *s)
{
    const bool by_name = s->topics & TOPIC_CUSTOM && s->topics != TOPIC_ALL;

    if (s->names > IMAGE_SUBSCRIPTION_NAMES || by_name != (s->names > 0))
        return "a subscription has names without custom events, or those without names, or too many";
    for (uint32_t i = 0; i < s->names; i++) {
        if (!name_fits_bus(s->name[i]))
            return "a name in a subscription is empty, not terminated, not printable or has a blank";
        for (uint32_t k = 0; k < i; k++) {
            if (name_is(s->name[k], s->name[i]))
                return "a subscription has a name twice";
        }
    }
    for (size_t i = s->names * IMAGE_NAME_BYTES; i < sizeof(s->name); i++) {
        if (((const char *)s->name)[i])
            return "a subscription has more names than it counts";
    }
    return NULL;
}

static const char *check_subscription(const struct image_header *h, const struct image_object *o, uint32_t index,
                                      struct walk *w)
{
    if (o->peer != w->next_subscription || o->peer >= h->subscriptions)
        return "the entry of a subscription does not follow that of the subscription before";
    const struct image_subscription *s = &image_subscriptions(h)[w->next_subscription++];
    if (s->object != index)
        return "the entry of a subscription names another object";
    if (!s->topics || s->topics & ~TOPIC_ALL)
        return "a subscription has no topic or an unknown one";
    if (s->depth < 1 || s->depth > IMAGE_SUBSCRIPTION_DEPTH_MAX)
        return "a subscription's depth is out of range";
    if (s->priority > IMAGE_SUBSCRIPTION_PRIORITY_MAX)
        return "a subscription's priority is out of range";
    if (s->reserved)
        return "a reserved field of a subscription is not zero";
    return check_subscription_names(s);
}

/* One of the objects before the last of a process. */
static const char *check_linked_process(const struct image_header *h, const struct image_object *o, struct walk *w)
{
    if (o->peer >= h->processes)
        return "a process object names no process";
    if (o->peer == o->process)
        return "a process object names its own process and is not the last";
    if (!bit_claim(w->supervised, o->peer))
        return "two process objects of others name one process";
    return NULL;
}

static const char *check_thread_object(const struct image_object *o, const struct image_process *p, struct walk *w)
{
    if (o->peer < p->first_thread || o->peer - p->first_thread >= p->threads)
        return "a thread object names no thread of its process";
    return bit_claim(w->threads, o->peer) ? NULL : "two thread objects name one thread";
}

/* The types that came with version 2 of the image, and later. */
static const char *check_newer_object(const struct image_header *h, const struct image_process *p, uint32_t index,
                                      struct walk *w)
{
    const struct image_object *o = &image_objects(h)[index];
    const bool has_peer =
        o->type == IMAGE_OBJECT_PROCESS || o->type == IMAGE_OBJECT_THREAD || o->type == IMAGE_OBJECT_EVENT_SUBSCRIPTION;

    if (o->type < IMAGE_OBJECT_WAIT_GROUP || o->type > IMAGE_OBJECT_ROUTER)
        return "an object's type is unknown";
    if (o->region != IMAGE_NONE || (!has_peer && o->peer != IMAGE_NONE))
        return "an object names a region or a peer, and its type has none";
    if (o->type == IMAGE_OBJECT_INTERRUPT)
        return check_interrupts(h, o, index, w);
    if (o->type == IMAGE_OBJECT_THREAD)
        return check_thread_object(o, p, w);
    if (o->type == IMAGE_OBJECT_EVENT_SUBSCRIPTION)
        return check_subscription(h, o, index, w);
    if (o->type == IMAGE_OBJECT_PROCESS && index + 1 < p->first_object + p->objects)
        return check_linked_process(h, o, w);
    return NULL;
}

/* The last object, by which a process knows itself. */
static const char *check_own_process(const struct image_header *h, const struct image_process *p, uint32_t self)
{
    const struct image_object *end = &image_objects(h)[p->first_object + p->objects];

    if (!p->objects || end[-1].type != IMAGE_OBJECT_PROCESS || end[-1].peer != self)
        return "the last object of a process is not its own process object";
    if (__builtin_memcmp(end[-1].name, IMAGE_OWN_PROCESS, sizeof(IMAGE_OWN_PROCESS)))
        return "a process's own process object is not named 'process'";
    return NULL;
}

static const char *check_objects(const struct image_header *h, const struct image_process *p, uint32_t self,
                                 struct walk *w)
{
    for (uint32_t i = p->first_object; i < p->first_object + p->objects; i++) {
        const struct image_object *o = &image_objects(h)[i];
        const char *why;

        if (!name_fits(o->name))
            return "an object's name is empty, not terminated or not printable";
        if (o->process != self)
            return "an object names another process than the one that lists it";
        if (o->type != IMAGE_OBJECT_INTERRUPT && (o->first_interrupt || o->interrupts))
            return "an object lists interrupts and is no interrupt object";
        if (o->type == IMAGE_OBJECT_CHANNEL_HANDLER || o->type == IMAGE_OBJECT_CHANNEL_INITIATOR)
            why = check_channel(h, o, i, w);
        else if (o->type == IMAGE_OBJECT_HISTOGRAM)
            why = check_histogram(h, o);
        else
            why = check_newer_object(h, p, i, w);
        if (why)
            return why;
    }
    return check_own_process(h, p, self);
}

/* The runs of a process follow those of the process before, and lie in the tables. */
static const char *check_runs(const struct image_header *h, const struct image_process *p, struct image_process *next)
{
    if (p->first_region != next->first_region || p->first_object != next->first_object ||
        p->first_thread != next->first_thread || p->first_device != next->first_device)
        return "the table entries of a process do not follow those of the process before";
    if (p->regions > h->regions - p->first_region || p->objects > h->objects - p->first_object ||
        p->threads > h->threads - p->first_thread || p->devices > h->devices - p->first_device)
        return "a process lists entries that its table does not have";
    next->first_region += p->regions;
    next->first_object += p->objects;
    next->first_thread += p->threads;
    next->first_device += p->devices;
    return NULL;
}

static const char *check_process(const struct image_header *h, uint32_t self, struct walk *w)
{
    const struct image_process *p = &image_processes(h)[self];

    if (!name_fits(p->name))
        return "a process's name is empty, not terminated or not printable";
    if (p->flags)
        return "a process's flags are unknown";
    if (p->cpu >= IMAGE_CPUS_MAX)
        return "a process's CPU is out of range";
    if (!p->threads)
        return "a process has no thread";

    const char *why = check_runs(h, p, &w->next);
    if (!why)
        why = check_regions(h, p, self);
    if (!why)
        why = check_devices(h, p, self);
    if (!why)
        why = check_threads(h, p, self);
    return why ? why : check_objects(h, p, self, w);
}

static const char *check_tables(const struct image_header *h)
{
    struct walk w = {.next_interrupt = 0};

    for (uint32_t i = 0; i < h->processes; i++) {
        const char *why = check_process(h, i, &w);
        if (why)
            return why;
    }
    if (w.next.first_region != h->regions || w.next.first_object != h->objects || w.next.first_thread != h->threads ||
        w.next.first_device != h->devices)
        return "a table has entries that no process lists";
    if (w.next_interrupt != h->interrupts)
        return "the table of interrupts has entries that no object lists";
    return w.next_subscription == h->subscriptions ? NULL : "the table of subscriptions has entries of no object";
}

enum status image_check(const void *bytes, uint64_t size, const struct image_header **out, const char **why)
{
    const struct image_header *h = bytes;

    *why = "it is not 8-aligned in memory";
    if ((uintptr_t)bytes % 8)
        return STATUS_INVALID_ARGUMENT;
    *why = "it is shorter than a header";
    if (size < sizeof(*h))
        return STATUS_DATA_LOSS;
    *why = "it is not a system image";
    if (h->magic != IMAGE_MAGIC)
        return STATUS_INVALID_ARGUMENT;
    *why = "it is of a version that this kernel does not know";
    if (h->version != IMAGE_VERSION)
        return STATUS_INVALID_ARGUMENT;
    *why = "its length is not the one in its header";
    if (h->bytes != size)
        return STATUS_DATA_LOSS;
    *why = "its checksum is wrong";
    if (h->checksum != image_crc(h))
        return STATUS_DATA_LOSS;

    *why = check_header(h);
    if (!*why)
        *why = check_tables(h);
    if (*why)
        return STATUS_INVALID_ARGUMENT;
    *out = h;
    return STATUS_OK;
}
