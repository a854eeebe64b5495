/* SPDX-License-Identifier: MIT
 * image_check against one small sound image, made by hand, and what a hostile author could make of it: cut at every
 * length, every byte changed, single fields set to bad values, and many random changes, all with the checksum made
 * right again so that the deeper checks are reached. Copies are allocated to the byte: ASan sees any read past the end.
 * Whatever is accepted must pass `promises_hold`, which states in other words what the kernel relies on. */
#include "sys/image.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sys/abi/histogram.h"
#include "sys/abi/layout.h"

#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

#define BASE(i) (USER_PROCESS_BASE + (uint64_t)(i) * USER_PROCESS_STRIDE)
#define STACK(i) (BASE(i) + USER_STACK_OFFSET)
#define HANDLER IMAGE_OBJECT_CHANNEL_HANDLER
#define INITIATOR IMAGE_OBJECT_CHANNEL_INITIATOR
#define HISTOGRAM_REGION_BYTES ((HISTOGRAM_BYTES + USER_PAGE_SIZE - 1) / USER_PAGE_SIZE * USER_PAGE_SIZE)

struct sample {
    struct image_header h;
    struct image_process processes[2];
    struct image_thread threads[2];
    struct image_object objects[3];
    struct image_region regions[5];
    unsigned char text[2][24];
};

static const uint32_t RX = IMAGE_REGION_READ | IMAGE_REGION_EXECUTE, RW = IMAGE_REGION_READ | IMAGE_REGION_WRITE;

static uint32_t crc32_plain(const unsigned char *p, size_t n)
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

/* Makes the checksum of the first `n` bytes right. */
static void seal(void *image, size_t n)
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

/* A server and a client with one channel; the client has a histogram too. */
static struct sample sample_make(void)
{
    struct sample s = {
        .h = {.magic = IMAGE_MAGIC, .version = IMAGE_VERSION, .bytes = sizeof(s), .processes = 2, .threads = 2,
              .objects = 3, .regions = 5, .processes_offset = offsetof(struct sample, processes),
              .threads_offset = offsetof(struct sample, threads), .objects_offset = offsetof(struct sample, objects),
              .regions_offset = offsetof(struct sample, regions), .name = "sample"},
        .processes = {{.name = "server", .entry = BASE(0), .cpu = 63, .regions = 2, .objects = 1, .threads = 1},
                      {.name = "client", .entry = BASE(1) + 20, .first_region = 2, .regions = 3, .first_object = 1,
                       .objects = 2, .first_thread = 1, .threads = 1}},
        .threads = {{.name = "server thread", .process = 0, .priority = 15, .stack_top = STACK(0) + 0x1000},
                    {.name = "client thread", .process = 1, .priority = 31, .stack_top = STACK(1) + 16}},
        .objects = {{.name = "IPC", .type = HANDLER, .process = 0, .peer = 1, .region = IMAGE_NONE},
                    {.name = "IPC", .type = INITIATOR, .process = 1, .peer = 0, .region = IMAGE_NONE},
                    {.name = "t", .type = IMAGE_OBJECT_HISTOGRAM, .process = 1, .peer = IMAGE_NONE, .region = 3}},
    };
    s.regions[0] = region(0, 0, 0x1000, RX);
    s.regions[1] = region(0, USER_STACK_OFFSET, 0x1000, RW);
    s.regions[2] = region(1, 0, 0x2000, RX);
    s.regions[3] = region(1, USER_HISTOGRAM_OFFSET, HISTOGRAM_REGION_BYTES, RW);
    s.regions[4] = region(1, USER_STACK_OFFSET, 0x1000, RW);
    for (uint32_t i = 0; i < 2; i++) {
        s.regions[2 * i].file_offset = offsetof(struct sample, text) + i * sizeof(s.text[0]);
        s.regions[2 * i].file_bytes = sizeof(s.text[0]);
        memset(s.text[i], 0x90, sizeof(s.text[i]));
    }
    seal(&s, sizeof(s));
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

static bool object_sound(const struct image_header *h, uint32_t index)
{
    const struct image_object *all = image_objects(h), *o = &all[index];
    const struct image_region *r = image_regions(h);
    if (o->type == IMAGE_OBJECT_HISTOGRAM)
        return r[o->region].process == o->process && r[o->region].bytes >= HISTOGRAM_BYTES && r[o->region].flags == RW;
    return o->peer < h->objects && all[o->peer].peer == index && all[o->peer].type + o->type == 3 &&
           all[o->peer].process != o->process;
}

/* What the kernel relies on, tested pair by pair. */
static bool promises_hold(const struct image_header *h)
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
        if (!object_sound(h, i) || strlen(image_objects(h)[i].name) >= IMAGE_NAME_BYTES)
            return false;
    }
    for (uint32_t i = 0; i < h->processes; i++) {
        const struct image_process *p = &image_processes(h)[i];
        const struct image_thread *t = &image_threads(h)[p->first_thread];
        bool entry = false, stack = false;
        for (uint32_t k = p->first_region; k < p->first_region + p->regions; k++) {
            entry |= r[k].process == i && r[k].flags & 4 && p->entry - r[k].address < r[k].bytes;
            stack |= r[k].process == i && r[k].flags & 2 && t->stack_top - 1 - r[k].address < r[k].bytes;
        }
        if (!entry || !stack || t->process != i || t->priority > 31 || p->cpu > 63 || t->stack_top & 15)
            return false;
    }
    return true;
}

/* Checks a copy that is allocated to the byte. An accepted image must keep its promises. */
static enum status check_copy(const void *image, size_t n, const char **why)
{
    void *copy = malloc(n);
    const struct image_header *h = NULL;
    memcpy(copy, image, n);
    enum status status = image_check(copy, n, &h, why);
    if (status == STATUS_OK)
        cr_assert(h == copy && promises_hold(h) && !*why);
    else
        cr_assert(h == NULL && *why && strlen(*why) > 10);
    free(copy);
    return status;
}

Test(image, sound_image_is_accepted_and_read)
{
    struct sample s = sample_make();
    const struct image_header *h = NULL;
    const char *why = "nothing";
    cr_assert(image_check(&s, sizeof(s), &h, &why) == STATUS_OK, "%s", why);
    cr_assert(eq(u32, image_objects(h)[2].region, 3));
    cr_assert(eq(str, (char *)(uintptr_t)image_processes(h)[1].name, (char *)(uintptr_t)"client"));
    cr_assert(eq(u32, image_threads(h)[1].priority, 31));
    cr_assert(image_region_bytes(h, &image_regions(h)[2]) == s.text[1]);
    cr_assert(check_copy(&s, sizeof(s), &why) == STATUS_OK);
}

Test(image, checksum_is_the_one_of_zlib)
{
    cr_assert(eq(u32, crc32_plain((const unsigned char *)"123456789", 9), 0xcbf43926));
}

Test(image, misaligned_image_is_refused)
{
    struct sample s = sample_make();
    const struct image_header *h = NULL;
    const char *why = NULL;
    unsigned char *room = malloc(sizeof(s) + 4);
    memcpy(room + 4, &s, sizeof(s));
    cr_assert(image_check(room + 4, sizeof(s), &h, &why) == STATUS_INVALID_ARGUMENT);
    free(room);
}

Test(image, every_truncation_is_refused)
{
    const char *why = NULL;
    for (size_t n = 0; n < sizeof(struct sample); n++) {
        struct sample s = sample_make();
        cr_assert(check_copy(&s, n, &why) == STATUS_DATA_LOSS, "%zu bytes", n);
        if (n < sizeof(s.h))
            continue;
        s.h.bytes = n;
        seal(&s, n);
        cr_assert(check_copy(&s, n, &why) == STATUS_INVALID_ARGUMENT, "%zu bytes, sealed", n);
    }
}

Test(image, every_changed_byte_is_noticed_or_harmless)
{
    static const unsigned char changes[] = {0xff, 0x01, 0x80, 0x10};
    unsigned accepted = 0, refused = 0;
    const char *why = NULL;
    for (size_t i = 0; i < sizeof(struct sample) * sizeof(changes); i++) {
        struct sample s = sample_make();
        ((unsigned char *)&s)[i / sizeof(changes)] ^= changes[i % sizeof(changes)];
        cr_assert(check_copy(&s, sizeof(s), &why) != STATUS_OK, "byte %zu", i / sizeof(changes));
        seal(&s, sizeof(s));
        if (check_copy(&s, sizeof(s), &why) == STATUS_OK)
            accepted++;
        else
            refused++;
    }
    /* Changed text, names and priorities are sound images; changed indices and addresses are not. */
    cr_assert(accepted > 100 && refused > 1000, "%u accepted, %u refused", accepted, refused);
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

Test(image, random_changes_never_break_a_promise, .timeout = 120)
{
    static const uint64_t values[] = {
        0, 1, 2, 3, 4, 5, 8, 88, 4095, 4096, UINT32_MAX, UINT32_MAX - 7, UINT64_MAX, UINT64_MAX - 4095, INT64_MAX,
        BASE(0), BASE(1), BASE(2), STACK(1), sizeof(struct sample),
    };
    const size_t n_values = sizeof(values) / sizeof(*values);
    uint64_t state = 1;
    unsigned refused = 0;
    const char *why = NULL;
    for (int round = 0; round < 100000; round++) {
        struct sample s = sample_make();
        for (uint64_t n = 1 + random_next(&state) % 3; n; n--) {
            uint64_t r = random_next(&state);
            const size_t width = r & 1 ? 4 : 8;
            const size_t at = (r >> 1) % (sizeof(s) / width) * width;
            const uint64_t value = (r >> 40) % 4 ? values[(r >> 48) % n_values] : random_next(&state);
            memcpy((unsigned char *)&s + at, &value, width);
        }
        seal(&s, sizeof(s));
        refused += check_copy(&s, sizeof(s), &why) != STATUS_OK;
    }
    cr_assert(refused > 50000 && refused < 100000, "%u refused", refused);
}

struct damage {
    size_t at, width;
    uint64_t value;
    const char *why; /* part of the sentence */
};
#define DAMAGE(field, to, sentence) \
    {offsetof(struct sample, field), sizeof(((struct sample *)NULL)->field), (uint64_t)(to), (sentence)}

static const struct damage damages[] = {
    DAMAGE(h.magic, 1, "not a system image"),
    DAMAGE(h.version, 2, "version"),
    DAMAGE(h.bytes, 0, "length"),
    DAMAGE(h.reserved, 1, "reserved"),
    DAMAGE(h.name[0], 0, "image's name"),
    DAMAGE(h.name[31], 'x', "image's name"),
    DAMAGE(h.processes, 0, "number of processes"),
    DAMAGE(h.processes, USER_PROCESS_MAX + 1, "number of processes"),
    DAMAGE(h.threads, 3, "exactly one thread"),
    DAMAGE(h.objects, IMAGE_OBJECTS_MAX + 1, "too many"),
    DAMAGE(h.regions, IMAGE_REGIONS_MAX + 1, "too many"),
    DAMAGE(h.objects, IMAGE_OBJECTS_MAX, "a table is"),
    DAMAGE(h.regions_offset, offsetof(struct sample, regions) + 4, "a table is"),
    DAMAGE(h.processes_offset, sizeof(struct image_header) - 8, "a table is"),
    DAMAGE(h.threads_offset, UINT32_MAX - 7, "a table is"),
    DAMAGE(h.objects_offset, sizeof(struct sample), "a table is"),
    DAMAGE(h.regions, 6, "no process lists"),
    DAMAGE(h.objects, 2, "does not have"),
    DAMAGE(h.regions, 4, "does not have"),
    DAMAGE(processes[0].name[0], 27, "process's name"),
    DAMAGE(processes[0].name[20], 'x', "process's name"),
    DAMAGE(processes[1].flags, 1, "flags"),
    DAMAGE(processes[1].cpu, 64, "CPU"),
    DAMAGE(processes[1].threads, 2, "exactly one thread"),
    DAMAGE(processes[1].first_region, 1, "do not follow"),
    DAMAGE(processes[1].first_object, 2, "do not follow"),
    DAMAGE(processes[1].first_thread, 0, "do not follow"),
    DAMAGE(processes[1].regions, UINT32_MAX - 1, "does not have"),
    DAMAGE(processes[1].objects, 3, "does not have"),
    DAMAGE(processes[1].objects, 1, "no process lists"),
    DAMAGE(processes[1].entry, BASE(1) + 0x2000, "entry"),
    DAMAGE(processes[1].entry, STACK(1), "entry"),
    DAMAGE(processes[1].entry, BASE(0), "entry"),
    DAMAGE(regions[0].flags, IMAGE_REGION_EXECUTE, "unreadable"),
    DAMAGE(regions[0].flags, 8 | RX, "flags are unknown"),
    DAMAGE(regions[0].flags, 7, "writable and executable"),
    DAMAGE(regions[0].process, 1, "another process"),
    DAMAGE(regions[0].address, BASE(0) + 8, "made of pages"),
    DAMAGE(regions[0].bytes, 0x1001, "made of pages"),
    DAMAGE(regions[0].bytes, 0, "empty"),
    DAMAGE(regions[0].address, BASE(0) - 0x1000, "slot"),
    DAMAGE(regions[0].bytes, USER_STACK_OFFSET + 0x1000, "overlaps"),
    DAMAGE(regions[1].bytes, USER_PROCESS_STRIDE - USER_STACK_OFFSET + 0x1000, "slot"),
    DAMAGE(regions[1].bytes, UINT64_MAX - 0xfff, "slot"),
    DAMAGE(regions[1].address, BASE(1), "slot"),
    DAMAGE(regions[1].address, BASE(1) + 0x1000, "slot"),
    DAMAGE(regions[4].address, BASE(1) + USER_HISTOGRAM_OFFSET - 0x1000, "out of order"),
    DAMAGE(regions[0].file_bytes, 0x1001, "more bytes in the file"),
    DAMAGE(regions[0].file_bytes, 49, "leave the file"),
    DAMAGE(regions[0].file_offset, UINT64_MAX, "leave the file"),
    DAMAGE(threads[0].name[0], 0, "thread's name"),
    DAMAGE(threads[0].process, 1, "another process"),
    DAMAGE(threads[0].priority, 32, "priority"),
    DAMAGE(threads[0].stack_top, STACK(0) + 8, "16-aligned"),
    DAMAGE(threads[0].stack_top, STACK(0), "no writable region"),
    DAMAGE(threads[0].stack_top, STACK(0) + 0x1010, "no writable region"),
    DAMAGE(threads[0].stack_top, BASE(0) + 0x1000, "no writable region"),
    DAMAGE(threads[0].stack_top, STACK(1) + 0x1000, "no writable region"),
    DAMAGE(objects[0].name[1], 0x7f, "object's name"),
    DAMAGE(objects[2].name[0], 0, "object's name"),
    DAMAGE(objects[0].type, 0, "type is unknown"),
    DAMAGE(objects[0].type, 4, "type is unknown"),
    DAMAGE(objects[0].process, 1, "another process"),
    DAMAGE(objects[0].peer, IMAGE_NONE, "no peer"),
    DAMAGE(objects[0].peer, 3, "no peer"),
    DAMAGE(objects[0].peer, 0, "do not name each other"),
    DAMAGE(objects[0].peer, 2, "do not name each other"),
    DAMAGE(objects[0].type, INITIATOR, "do not name each other"),
    DAMAGE(objects[1].process, 0, "one process"),
    DAMAGE(objects[1].region, 0, "names a region"),
    DAMAGE(objects[2].peer, 0, "names a peer"),
    DAMAGE(objects[2].region, 5, "no region"),
    DAMAGE(objects[2].region, IMAGE_NONE, "no region"),
    DAMAGE(objects[2].region, 1, "another process"),
    DAMAGE(objects[2].region, 2, "read-only"),
    DAMAGE(objects[2].region, 4, "too small"),
};

Test(image, each_bad_field_has_its_sentence)
{
    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        const struct damage *d = &damages[i];
        struct sample s = sample_make();
        const char *why = NULL;
        memcpy((unsigned char *)&s + d->at, &d->value, d->width);
        seal(&s, sizeof(s));
        cr_assert(check_copy(&s, sizeof(s), &why) != STATUS_OK, "line %zu: %s", i, d->why);
        cr_assert(strstr(why, d->why) != NULL, "line %zu: '%s' is not in '%s'", i, d->why, why);
    }
}

Test(image, wrong_checksum_is_data_loss)
{
    struct sample s = sample_make();
    const char *why = NULL;
    s.h.checksum ^= 1;
    cr_assert(check_copy(&s, sizeof(s), &why) == STATUS_DATA_LOSS);
    cr_assert(strstr(why, "checksum") != NULL);
}

Test(image, name_without_its_terminator_is_refused)
{
    struct sample s = sample_make();
    const char *why = NULL;
    memset(s.threads[1].name, 'x', sizeof(s.threads[1].name));
    seal(&s, sizeof(s));
    cr_assert(check_copy(&s, sizeof(s), &why) == STATUS_INVALID_ARGUMENT);
    cr_assert(strstr(why, "thread's name") != NULL, "%s", why);
}

Test(image, second_initiator_on_a_handler_is_refused)
{
    struct sample s = sample_make();
    const char *why = NULL;
    s.objects[2].type = INITIATOR;
    s.objects[2].peer = 0;
    s.objects[2].region = IMAGE_NONE;
    seal(&s, sizeof(s));
    cr_assert(check_copy(&s, sizeof(s), &why) == STATUS_INVALID_ARGUMENT);
    cr_assert(strstr(why, "do not name each other") != NULL, "%s", why);
}

Test(image, file_may_end_with_a_table)
{
    struct sample s = sample_make();
    const char *why = NULL;
    s.regions[0].file_bytes = s.regions[2].file_bytes = 0;
    s.regions[0].file_offset = s.regions[2].file_offset = 0;
    s.h.bytes = offsetof(struct sample, text);
    seal(&s, s.h.bytes);
    cr_assert(check_copy(&s, s.h.bytes, &why) == STATUS_OK, "%s", why);
}
