/* SPDX-License-Identifier: MIT
 * The sample of the tests of sys/image.c, and the promises of an accepted image. */
#include "tests/unit/sys/image_sample.h"
#include "sys/abi/event.h"

#include <string.h>

uint32_t crc32_plain(const unsigned char *p, size_t n)
{
    static uint32_t table[256];
    for (uint32_t i = 0; !table[255] && i < 256; i++) {
        table[i] = i;
        for (int k = 0; k < 8; k++)
            table[i] = (table[i] >> 1) ^ (table[i] & 1 ? 0xedb88320u : 0);
    }
    uint32_t crc = ~0u;
    while (n--)
        crc = (crc >> 8) ^ table[(crc ^ *p++) & 0xff];
    return ~crc;
}

void image_seal(void *image, size_t n)
{
    uint32_t crc = 0;
    memcpy((unsigned char *)image + offsetof(struct image_header, checksum), &crc, sizeof(crc));
    crc = crc32_plain(image, n);
    memcpy((unsigned char *)image + offsetof(struct image_header, checksum), &crc, sizeof(crc));
}

static struct image_region region(uint32_t process, uint64_t offset, uint64_t bytes, uint32_t flags)
{
    return (struct image_region){.address = BASE(process) + offset, .bytes = bytes, .flags = flags, .process = process};
}

struct image_object sample_object(uint32_t process, const char *name, uint32_t type, uint32_t peer)
{
    struct image_object o = {.type = type, .process = process, .peer = peer, .region = IMAGE_NONE};
    memcpy(o.name, name, strlen(name));
    return o;
}

/* The server's handler; then all that the client has: one object of each type, two of interrupts. */
static void sample_add_objects(struct sample *s)
{
    s->objects[0] = sample_object(0, "IPC", HANDLER, 2);
    s->objects[1] = sample_object(0, "process", IMAGE_OBJECT_PROCESS, 0);
    s->objects[2] = sample_object(1, "IPC", INITIATOR, 0);
    s->objects[3] = sample_object(1, "t", IMAGE_OBJECT_HISTOGRAM, IMAGE_NONE);
    s->objects[3].region = 3;
    s->objects[4] = sample_object(1, "group", IMAGE_OBJECT_WAIT_GROUP, IMAGE_NONE);
    s->objects[5] = sample_object(1, "lines", IMAGE_OBJECT_INTERRUPT, IMAGE_NONE);
    s->objects[5].interrupts = 3;
    s->objects[6] = sample_object(1, "ward", IMAGE_OBJECT_PROCESS, 0);
    s->objects[7] = sample_object(1, "second", IMAGE_OBJECT_THREAD, 2);
    s->objects[8] = sample_object(1, "news", IMAGE_OBJECT_EVENT_SUBSCRIPTION, 0);
    s->objects[9] = sample_object(1, "ask", IMAGE_OBJECT_ROUTER, IMAGE_NONE);
    s->objects[10] = sample_object(1, "module", HANDLER, IMAGE_NONE);
    s->objects[11] = sample_object(1, "process", IMAGE_OBJECT_PROCESS, 1);
    s->subscriptions[0] = (struct image_subscription){.object = 8,
                                                      .topics = TOPIC_CUSTOM | TOPIC_TICK,
                                                      .depth = IMAGE_SUBSCRIPTION_DEPTH_MAX,
                                                      .priority = IMAGE_SUBSCRIPTION_PRIORITY_MAX,
                                                      .names = 2,
                                                      .name = {"alarm", "a-name-of-just-thirty-one-bytes"}};
    s->interrupts[0] = (struct image_interrupt){.object = 5, .number = IMAGE_INTERRUPT_MAX - 1};
    s->interrupts[1] = (struct image_interrupt){.object = 5, .number = 0};
    s->interrupts[2] = (struct image_interrupt){.object = 5, .number = 64};
}

static void sample_add_devices(struct sample *s)
{
    s->devices[0] =
        (struct image_device){.physical = IMAGE_PORTS_END - 8, .bytes = 8, .process = 1, .kind = IMAGE_DEVICE_PORTS};
    s->devices[1] = (struct image_device){
        .address = DEVICE(1), .physical = 0xfee00000, .bytes = 0x1000, .process = 1, .kind = IMAGE_DEVICE_MEMORY};
    s->devices[2] = (struct image_device){.address = BASE(2) - 0x2000,
                                          .physical = IMAGE_PHYSICAL_END - 0x2000,
                                          .bytes = 0x2000,
                                          .process = 1,
                                          .kind = IMAGE_DEVICE_MEMORY};
}

struct sample sample_make(void)
{
    struct sample s = {
        .h = {.magic = IMAGE_MAGIC,
              .version = IMAGE_VERSION,
              .bytes = sizeof(s),
              .processes = 2,
              .threads = 3,
              .objects = 12,
              .regions = 6,
              .interrupts = 3,
              .devices = 3,
              .subscriptions = 1,
              .processes_offset = offsetof(struct sample, processes),
              .threads_offset = offsetof(struct sample, threads),
              .objects_offset = offsetof(struct sample, objects),
              .regions_offset = offsetof(struct sample, regions),
              .interrupts_offset = offsetof(struct sample, interrupts),
              .devices_offset = offsetof(struct sample, devices),
              .subscriptions_offset = offsetof(struct sample, subscriptions),
              .name = "sample"},
        .processes = {{.name = "server", .entry = BASE(0), .cpu = 63, .regions = 2, .objects = 2, .threads = 1},
                      {.name = "client",
                       .entry = BASE(1) + 20,
                       .first_region = 2,
                       .regions = 4,
                       .first_object = 2,
                       .objects = 10,
                       .first_thread = 1,
                       .threads = 2,
                       .devices = 3}},
        .threads = {{.name = "server thread", .process = 0, .priority = 15, .stack_top = STACK(0) + 0x1000},
                    {.name = "client thread", .process = 1, .priority = 31, .stack_top = STACK(1) + 16},
                    {.name = "second", .process = 1, .priority = 0, .stack_top = STACK(1) + 0x4000}},
    };
    sample_add_objects(&s);
    sample_add_devices(&s);
    s.regions[0] = region(0, 0, 0x1000, RX);
    s.regions[1] = region(0, USER_STACK_OFFSET, 0x1000, RW);
    s.regions[2] = region(1, 0, 0x2000, RX);
    s.regions[3] = region(1, USER_HISTOGRAM_OFFSET, HISTOGRAM_REGION_BYTES, RW);
    s.regions[4] = region(1, USER_STACK_OFFSET, 0x1000, RW);
    s.regions[5] = region(1, USER_STACK_OFFSET + 0x2000, 0x2000, RW);
    for (uint32_t i = 0; i < 2; i++) {
        s.regions[2 * i].file_offset = offsetof(struct sample, text) + i * sizeof(s.text[0]);
        s.regions[2 * i].file_bytes = sizeof(s.text[0]);
        memset(s.text[i], 0x90, sizeof(s.text[i]));
    }
    image_seal(&s, sizeof(s));
    return s;
}

static bool region_sound(const struct image_header *h, const struct image_region *r)
{
    static volatile unsigned char sink;
    const unsigned char *bytes = image_region_bytes(h, r);
    for (uint64_t i = 0; i < r->file_bytes; i++)
        sink = bytes[i];
    (void)sink;
    return r->process < h->processes && r->address >= BASE(r->process) &&
           r->address + r->bytes <= BASE(r->process + 1) && r->bytes && (r->address | r->bytes) % 4096 == 0 &&
           r->file_bytes <= r->bytes && (r->flags & 6) != 6;
}

static bool lines_sound(const struct image_header *h, uint32_t index)
{
    const struct image_object *all = image_objects(h), *o = &all[index];
    const struct image_interrupt *lines = image_interrupts(h);
    for (uint32_t i = o->first_interrupt; i < o->first_interrupt + o->interrupts; i++) {
        if (lines[i].object != index || lines[i].number > 255)
            return false;
        for (uint32_t k = 0; k < i; k++) {
            if (lines[k].number == lines[i].number)
                return false;
        }
    }
    return o->type == IMAGE_OBJECT_INTERRUPT ? o->interrupts > 0 && o->interrupts < 16 : !o->interrupts;
}

/* At most one object, of those that are not a process's own, has this type and peer. */
static bool peer_is_unique(const struct image_header *h, uint32_t index)
{
    const struct image_object *all = image_objects(h), *o = &all[index];
    for (uint32_t k = 0; k < h->objects; k++) {
        bool own = o->type == IMAGE_OBJECT_PROCESS && (all[k].process == o->peer || o->process == o->peer);
        if (k != index && !own && all[k].type == o->type && all[k].peer == o->peer)
            return false;
    }
    return true;
}

/* As many names as it needs, all different, each without a blank. */
static bool names_sound(const struct image_subscription *s)
{
    bool wants = s->topics & TOPIC_CUSTOM && s->topics != TOPIC_ALL;
    for (uint32_t i = 0; i < s->names; i++) {
        if (!*s->name[i] || strlen(s->name[i]) > 31 || strchr(s->name[i], ' '))
            return false;
        for (uint32_t k = 0; k < s->names; k++) {
            if (k != i && !strcmp(s->name[k], s->name[i]))
                return false;
        }
    }
    return s->names <= 8 && wants == !!s->names;
}

static bool subscription_sound(const struct image_header *h, uint32_t index)
{
    const struct image_object *all = image_objects(h);
    const struct image_subscription *s = &image_subscriptions(h)[all[index].peer];
    return all[index].peer < h->subscriptions && s->object == index && s->topics && s->topics <= TOPIC_ALL &&
           s->depth - 1 < 4096 && s->priority <= 255 && names_sound(s);
}

static bool module_sound(const struct image_header *h, uint32_t index)
{
    const struct image_object *all = image_objects(h);
    uint32_t modules = 0;
    for (uint32_t k = 0; k < h->objects; k++) {
        if (all[k].type != HANDLER || all[k].peer != IMAGE_NONE)
            continue;
        modules++;
        if (k != index && !strcmp(all[k].name, all[index].name))
            return false;
    }
    return modules <= 32 && !strchr(all[index].name, ' ');
}

static bool object_sound(const struct image_header *h, uint32_t index)
{
    const struct image_object *all = image_objects(h), *o = &all[index];
    const struct image_process *owner = &image_processes(h)[o->process];
    const struct image_region *r = image_regions(h);
    bool last = index + 1 == owner->first_object + owner->objects;
    switch (o->type) {
    case IMAGE_OBJECT_HISTOGRAM:
        return r[o->region].process == o->process && r[o->region].bytes >= HISTOGRAM_BYTES && r[o->region].flags == RW;
    case IMAGE_OBJECT_WAIT_GROUP:
    case IMAGE_OBJECT_ROUTER:
    case IMAGE_OBJECT_INTERRUPT:
        return o->peer == IMAGE_NONE;
    case IMAGE_OBJECT_PROCESS:
        return o->peer < h->processes && last == (o->peer == o->process) && (!last || !strcmp(o->name, "process"));
    case IMAGE_OBJECT_THREAD:
        return o->peer < h->threads && image_threads(h)[o->peer].process == o->process;
    case IMAGE_OBJECT_EVENT_SUBSCRIPTION:
        return subscription_sound(h, index);
    default:
        if (o->type == HANDLER && o->peer == IMAGE_NONE)
            return module_sound(h, index);
        return o->peer < h->objects && all[o->peer].peer == index && all[o->peer].type + o->type == 3 &&
               all[o->peer].process != o->process;
    }
}

static bool device_sound(const struct image_header *h, uint32_t index)
{
    const struct image_device *all = image_devices(h), *d = &all[index];
    const struct image_region *r = image_regions(h);
    if (d->kind == IMAGE_DEVICE_PORTS)
        return d->bytes && d->bytes <= 65536 && d->physical + d->bytes <= 65536;
    if (d->address < BASE(d->process) || d->address + d->bytes > BASE(d->process + 1) || !d->bytes ||
        (d->address | d->bytes | d->physical) % 4096 || (d->physical + d->bytes - 1) >> 52)
        return false;
    for (uint32_t k = 0; k < h->regions; k++) {
        if (r[k].address < d->address + d->bytes && d->address < r[k].address + r[k].bytes)
            return false;
    }
    for (uint32_t k = 0; k < index; k++) {
        if (all[k].kind == d->kind && all[k].address < d->address + d->bytes &&
            d->address < all[k].address + all[k].bytes)
            return false;
    }
    return d->kind == IMAGE_DEVICE_MEMORY;
}

static bool thread_sound(const struct image_header *h, const struct image_thread *t, uint32_t process)
{
    const struct image_process *p = &image_processes(h)[process];
    const struct image_region *r = image_regions(h);
    bool stack = false;
    for (uint32_t k = p->first_region; k < p->first_region + p->regions; k++)
        stack |= r[k].process == process && r[k].flags & 2 && t->stack_top - 1 - r[k].address < r[k].bytes;
    return stack && t->process == process && t->priority <= 31 && !(t->stack_top & 15);
}

static bool process_sound(const struct image_header *h, uint32_t index)
{
    const struct image_process *p = &image_processes(h)[index];
    const struct image_region *r = image_regions(h);
    bool entry = false, sound = p->threads && p->objects;
    for (uint32_t k = p->first_region; k < p->first_region + p->regions; k++)
        entry |= r[k].process == index && r[k].flags & 4 && p->entry - r[k].address < r[k].bytes;
    for (uint32_t k = p->first_thread; k < p->first_thread + p->threads; k++)
        sound &= thread_sound(h, &image_threads(h)[k], index);
    for (uint32_t k = p->first_device; k < p->first_device + p->devices; k++)
        sound &= image_devices(h)[k].process == index && device_sound(h, k);
    return entry && sound && p->cpu <= 63;
}

bool promises_hold(const struct image_header *h)
{
    const struct image_region *r = image_regions(h);
    for (uint32_t i = 0; i < h->regions; i++) {
        if (!region_sound(h, &r[i]))
            return false;
        for (uint32_t k = 0; k < i; k++) {
            if (r[i].address < r[k].address + r[k].bytes && r[k].address < r[i].address + r[i].bytes)
                return false;
        }
    }
    for (uint32_t i = 0; i < h->objects; i++) {
        if (!object_sound(h, i) || !lines_sound(h, i) || strlen(image_objects(h)[i].name) >= IMAGE_NAME_BYTES)
            return false;
        if (image_objects(h)[i].peer != IMAGE_NONE && !peer_is_unique(h, i))
            return false;
    }
    for (uint32_t i = 0; i < h->processes; i++) {
        if (!process_sound(h, i))
            return false;
    }
    return true;
}
