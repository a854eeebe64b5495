/* SPDX-License-Identifier: MIT
 * image_check: a system image may be a boot module that anybody wrote, so each number in it is tested before it is
 * used. The order is: header, checksum, table bounds, then one walk over the processes, each with its regions, thread
 * and objects. Every check returns NULL or the sentence that goes to the log. Boot CPU only, before other CPUs run.
 * Sums of 32-bit numbers are made in 64 bits, and ends are compared as `length > limit - start`, so nothing wraps. */
#include "sys/image.h"
#include <stdbool.h>
#include <stddef.h>
#include "sys/abi/histogram.h"
#include "sys/abi/layout.h"

#define CRC32_POLYNOMIAL 0xedb88320u
#define CRC32_SLICES 8

_Static_assert(USER_PROCESS_BASE + (uint64_t)USER_PROCESS_MAX * USER_PROCESS_STRIDE <= USER_END, "slots fit");
_Static_assert(USER_PAGE_SIZE % 16 == 0, "a stack that ends with its region is aligned");

/* crc_table[s][b]: what byte b becomes after s more zero bytes. Filled on each check: 2048 entries cost less than the
 * lookups that they save on an image of two pages. */
static uint32_t crc_table[CRC32_SLICES][256];

static void crc_table_fill(void)
{
    uint32_t crc = 1;
    for (uint32_t bit = 0x80; bit; bit >>= 1) {
        crc = (crc >> 1) ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
        for (uint32_t i = 0; i < 256; i += 2 * bit)
            crc_table[0][i + bit] = crc ^ crc_table[0][i];
    }
    for (uint32_t slice = 1; slice < CRC32_SLICES; slice++) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t before = crc_table[slice - 1][i];
            crc_table[slice][i] = (before >> 8) ^ crc_table[0][before & 0xff];
        }
    }
}

/* Continues `crc` (inverted form) over `n` bytes, eight at a time: the boot budget pays for each byte of the image. */
static uint32_t crc_update(uint32_t crc, const unsigned char *p, uint64_t n)
{
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word;
        __builtin_memcpy(&word, p, 8);
        word ^= crc;
        crc = crc_table[7][word & 0xff] ^ crc_table[6][(word >> 8) & 0xff] ^ crc_table[5][(word >> 16) & 0xff] ^
              crc_table[4][(word >> 24) & 0xff] ^ crc_table[3][(word >> 32) & 0xff] ^
              crc_table[2][(word >> 40) & 0xff] ^ crc_table[1][(word >> 48) & 0xff] ^ crc_table[0][word >> 56];
    }
    for (; n; p++, n--)
        crc = (crc >> 8) ^ crc_table[0][(crc ^ *p) & 0xff];
    return crc;
}

static uint32_t image_crc(const struct image_header *h)
{
    static const unsigned char zero[sizeof(h->checksum)];
    const unsigned char *p = (const unsigned char *)h;
    const uint64_t before = offsetof(struct image_header, checksum), after = before + sizeof(zero);

    crc_table_fill();
    uint32_t crc = crc_update(~0u, p, before);
    crc = crc_update(crc, zero, sizeof(zero));
    return ~crc_update(crc, p + after, h->bytes - after);
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
    if (h->threads != h->processes)
        return "each process must have exactly one thread";
    if (h->objects > IMAGE_OBJECTS_MAX || h->regions > IMAGE_REGIONS_MAX)
        return "too many objects or regions";
    if (!table_fits(h, h->processes_offset, h->processes, sizeof(struct image_process)) ||
        !table_fits(h, h->threads_offset, h->threads, sizeof(struct image_thread)) ||
        !table_fits(h, h->objects_offset, h->objects, sizeof(struct image_object)) ||
        !table_fits(h, h->regions_offset, h->regions, sizeof(struct image_region)))
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

static const char *check_thread(const struct image_header *h, const struct image_process *p, uint32_t self)
{
    const struct image_thread *t = &image_threads(h)[p->first_thread];
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

static const char *check_channel(const struct image_header *h, const struct image_object *o, uint32_t index)
{
    const uint32_t other_type =
        o->type == IMAGE_OBJECT_CHANNEL_HANDLER ? IMAGE_OBJECT_CHANNEL_INITIATOR : IMAGE_OBJECT_CHANNEL_HANDLER;

    if (o->region != IMAGE_NONE)
        return "an end of a channel names a region";
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

static const char *check_objects(const struct image_header *h, const struct image_process *p, uint32_t self)
{
    for (uint32_t i = p->first_object; i < p->first_object + p->objects; i++) {
        const struct image_object *o = &image_objects(h)[i];
        const char *why = "an object's type is unknown";

        if (!name_fits(o->name))
            return "an object's name is empty, not terminated or not printable";
        if (o->process != self)
            return "an object names another process than the one that lists it";
        if (o->type == IMAGE_OBJECT_CHANNEL_HANDLER || o->type == IMAGE_OBJECT_CHANNEL_INITIATOR)
            why = check_channel(h, o, i);
        else if (o->type == IMAGE_OBJECT_HISTOGRAM)
            why = check_histogram(h, o);
        if (why)
            return why;
    }
    return NULL;
}

/* `seen` is the process that would own the next entry of each table; `self` moves it past its own runs. */
static const char *check_process(const struct image_header *h, uint32_t self, struct image_process *seen)
{
    const struct image_process *p = &image_processes(h)[self];

    if (!name_fits(p->name))
        return "a process's name is empty, not terminated or not printable";
    if (p->flags)
        return "a process's flags are unknown";
    if (p->cpu >= IMAGE_CPUS_MAX)
        return "a process's CPU is out of range";
    if (p->threads != 1)
        return "each process must have exactly one thread";
    if (p->first_region != seen->first_region || p->first_object != seen->first_object ||
        p->first_thread != seen->first_thread)
        return "the table entries of a process do not follow those of the process before";
    if (p->regions > h->regions - p->first_region || p->objects > h->objects - p->first_object)
        return "a process lists entries that its table does not have";
    seen->first_region += p->regions;
    seen->first_object += p->objects;
    seen->first_thread += 1;

    const char *why = check_regions(h, p, self);
    if (!why)
        why = check_thread(h, p, self);
    return why ? why : check_objects(h, p, self);
}

static const char *check_tables(const struct image_header *h)
{
    struct image_process seen = {.first_region = 0};

    for (uint32_t i = 0; i < h->processes; i++) {
        const char *why = check_process(h, i, &seen);
        if (why)
            return why;
    }
    if (seen.first_region != h->regions || seen.first_object != h->objects)
        return "a table has entries that no process lists";
    return NULL;
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
