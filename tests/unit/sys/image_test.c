/* SPDX-License-Identifier: MIT
 * image_check against one small sound image, made by hand, and what a hostile author could make of it: cut at every
 * length, every byte changed, single fields set to bad values, and many random changes, all with the checksum made
 * right again so that the deeper checks are reached. Copies are allocated to the byte: ASan sees any read past the end.
 * Whatever is accepted must pass `promises_hold`, which states in other words what the kernel relies on. */
#include "sys/abi/event.h"
#include "tests/unit/sys/image_sample.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

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
    cr_assert(eq(u32, image_objects(h)[3].region, 3));
    cr_assert(eq(u32, image_interrupts(h)[2].number, 64));
    cr_assert(eq(u64, image_devices(h)[1].physical, 0xfee00000));
    cr_assert(eq(str, (char *)(uintptr_t)image_processes(h)[1].name, (char *)(uintptr_t) "client"));
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
        image_seal(&s, n);
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
        image_seal(&s, sizeof(s));
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
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        104,
        4095,
        4096,
        UINT32_MAX,
        UINT32_MAX - 7,
        UINT64_MAX,
        UINT64_MAX - 4095,
        INT64_MAX,
        BASE(0),
        BASE(1),
        BASE(2),
        STACK(1),
        DEVICE(1),
        sizeof(struct sample),
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
        image_seal(&s, sizeof(s));
        refused += check_copy(&s, sizeof(s), &why) != STATUS_OK;
    }
    cr_assert(refused > 50000 && refused < 100000, "%u refused", refused);
}

struct damage {
    size_t at, width;
    uint64_t value;
    const char *why; /* part of the sentence */
};
#define DAMAGE(field, to, sentence)                                                                                    \
    {                                                                                                                  \
        offsetof(struct sample, field), sizeof(((struct sample *)NULL)->field), (uint64_t)(to), (sentence)             \
    }

static const struct damage damages[] = {
    DAMAGE(h.magic, 1, "not a system image"),
    DAMAGE(h.version, 1, "version"),
    DAMAGE(h.version, 2, "version"),
    DAMAGE(h.bytes, 0, "length"),
    DAMAGE(h.reserved, 1, "reserved"),
    DAMAGE(h.name[0], 0, "image's name"),
    DAMAGE(h.name[31], 'x', "image's name"),
    DAMAGE(h.processes, 0, "number of processes"),
    DAMAGE(h.processes, USER_PROCESS_MAX + 1, "number of processes"),
    DAMAGE(h.threads, IMAGE_THREADS_MAX + 1, "too many threads, objects"),
    DAMAGE(h.objects, IMAGE_OBJECTS_MAX + 1, "too many threads, objects"),
    DAMAGE(h.regions, IMAGE_REGIONS_MAX + 1, "too many threads, objects"),
    DAMAGE(h.interrupts, IMAGE_INTERRUPT_MAX + 1, "too many interrupts"),
    DAMAGE(h.devices, IMAGE_DEVICES_MAX + 1, "too many interrupts"),
    DAMAGE(h.objects, IMAGE_OBJECTS_MAX, "a table is"),
    DAMAGE(h.regions_offset, offsetof(struct sample, regions) + 4, "a table is"),
    DAMAGE(h.processes_offset, sizeof(struct image_header) - 8, "a table is"),
    DAMAGE(h.threads_offset, UINT32_MAX - 7, "a table is"),
    DAMAGE(h.objects_offset, sizeof(struct sample), "a table is"),
    DAMAGE(h.interrupts_offset, offsetof(struct sample, text) + 40, "a table is"),
    DAMAGE(h.devices_offset, offsetof(struct sample, devices) + 4, "a table is"),
    DAMAGE(h.subscriptions_offset, offsetof(struct sample, text) + 8, "a table is"),
    DAMAGE(h.subscriptions, IMAGE_OBJECTS_MAX + 1, "too many subscriptions"),
    DAMAGE(h.regions, 7, "no process lists"),
    DAMAGE(h.threads, 4, "no process lists"),
    DAMAGE(h.devices, 4, "no process lists"),
    DAMAGE(h.objects, 13, "no process lists"),
    DAMAGE(h.interrupts, 4, "no object lists"),
    DAMAGE(h.objects, 11, "does not have"),
    DAMAGE(h.regions, 5, "does not have"),
    DAMAGE(h.threads, 2, "does not have"),
    DAMAGE(h.devices, 2, "does not have"),
    DAMAGE(h.interrupts, 2, "table does not have"),
    DAMAGE(processes[0].name[0], 27, "process's name"),
    DAMAGE(processes[0].name[20], 'x', "process's name"),
    DAMAGE(processes[1].flags, 1, "flags"),
    DAMAGE(processes[1].cpu, 64, "CPU"),
    DAMAGE(processes[1].threads, 0, "a process has no thread"),
    DAMAGE(processes[1].first_region, 1, "do not follow"),
    DAMAGE(processes[1].first_object, 3, "do not follow"),
    DAMAGE(processes[1].first_thread, 0, "do not follow"),
    DAMAGE(processes[1].first_device, 1, "do not follow"),
    DAMAGE(processes[1].regions, UINT32_MAX - 1, "does not have"),
    DAMAGE(processes[1].objects, 11, "does not have"),
    DAMAGE(processes[1].threads, 3, "does not have"),
    DAMAGE(processes[1].devices, UINT32_MAX, "does not have"),
    DAMAGE(processes[1].threads, 1, "no thread of its process"),
    DAMAGE(processes[1].devices, 2, "no process lists"),
    DAMAGE(processes[0].objects, 1, "not its own process object"),
    DAMAGE(processes[0].objects, 0, "not its own process object"),
    DAMAGE(processes[1].objects, 0, "not its own process object"),
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
    DAMAGE(devices[0].process, 0, "a device names another process"),
    DAMAGE(devices[0].kind, 0, "device's kind"),
    DAMAGE(devices[1].kind, 3, "device's kind"),
    DAMAGE(devices[0].address, DEVICE(1), "has an address in memory"),
    DAMAGE(devices[0].bytes, 0, "leaves the ports"),
    DAMAGE(devices[0].bytes, 9, "leaves the ports"),
    DAMAGE(devices[0].bytes, UINT64_MAX, "leaves the ports"),
    DAMAGE(devices[0].physical, IMAGE_PORTS_END, "leaves the ports"),
    DAMAGE(devices[0].physical, UINT64_MAX - 6, "leaves the ports"),
    DAMAGE(devices[1].address, DEVICE(1) + 16, "device memory is empty or not"),
    DAMAGE(devices[1].physical, 0xfee00080, "device memory is empty or not"),
    DAMAGE(devices[1].bytes, 0x800, "device memory is empty or not"),
    DAMAGE(devices[1].bytes, 0, "device memory is empty or not"),
    DAMAGE(devices[1].address, BASE(1) - 0x1000, "device memory overlaps, is out of order"),
    DAMAGE(devices[1].address, BASE(2), "device memory overlaps, is out of order"),
    DAMAGE(devices[1].address, BASE(2) - 0x2000, "device memory overlaps, is out of order"),
    DAMAGE(devices[2].address, DEVICE(1), "device memory overlaps, is out of order"),
    DAMAGE(devices[2].address, BASE(2) - 0x1000, "device memory overlaps, is out of order"),
    DAMAGE(devices[2].address, BASE(2) + 0x1000, "device memory overlaps, is out of order"),
    DAMAGE(devices[2].bytes, 0x3000, "device memory overlaps, is out of order"),
    DAMAGE(devices[2].bytes, UINT64_MAX - 0xfff, "device memory overlaps, is out of order"),
    DAMAGE(devices[2].physical, IMAGE_PHYSICAL_END - 0x1000, "physical addresses"),
    DAMAGE(devices[2].physical, UINT64_MAX - 0xfff, "physical addresses"),
    DAMAGE(devices[1].address, BASE(1) + 0x1000, "device memory overlaps a region"),
    DAMAGE(devices[1].address, STACK(1) + 0x3000, "device memory overlaps a region"),
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
    DAMAGE(threads[2].priority, 32, "priority"),
    DAMAGE(threads[2].process, 0, "another process"),
    DAMAGE(threads[2].name[0], 0, "thread's name"),
    DAMAGE(threads[2].stack_top, STACK(1) + 0x2000, "no writable region"),
    DAMAGE(objects[0].name[1], 0x7f, "object's name"),
    DAMAGE(objects[3].name[0], 0, "object's name"),
    DAMAGE(objects[0].type, 0, "type is unknown"),
    DAMAGE(objects[4].type, 10, "type is unknown"),
    DAMAGE(objects[0].process, 1, "another process"),
    DAMAGE(objects[2].peer, IMAGE_NONE, "do not name each other"),
    DAMAGE(objects[0].peer, 12, "no peer"),
    DAMAGE(objects[0].peer, 0, "do not name each other"),
    DAMAGE(objects[0].peer, 3, "do not name each other"),
    DAMAGE(objects[0].type, INITIATOR, "do not name each other"),
    DAMAGE(objects[2].process, 0, "one process"),
    DAMAGE(objects[2].region, 0, "names a region"),
    DAMAGE(objects[3].peer, 0, "names a peer"),
    DAMAGE(objects[3].region, 6, "no region"),
    DAMAGE(objects[3].region, IMAGE_NONE, "no region"),
    DAMAGE(objects[3].region, 1, "another process"),
    DAMAGE(objects[3].region, 2, "read-only"),
    DAMAGE(objects[3].region, 4, "too small"),
    DAMAGE(objects[4].peer, 0, "its type has none"),
    DAMAGE(objects[4].region, 3, "its type has none"),
    DAMAGE(objects[5].peer, 1, "its type has none"),
    DAMAGE(objects[6].region, 0, "its type has none"),
    DAMAGE(objects[7].region, 0, "its type has none"),
    DAMAGE(objects[11].region, 0, "its type has none"),
    DAMAGE(objects[0].interrupts, 1, "is no interrupt object"),
    DAMAGE(objects[11].first_interrupt, 3, "is no interrupt object"),
    DAMAGE(objects[5].first_interrupt, 1, "interrupts of an object do not follow"),
    DAMAGE(objects[5].first_interrupt, UINT32_MAX, "interrupts of an object do not follow"),
    DAMAGE(objects[5].interrupts, 0, "no interrupts or too many"),
    DAMAGE(objects[5].interrupts, 16, "no interrupts or too many"),
    DAMAGE(objects[5].interrupts, 4, "table does not have"),
    DAMAGE(objects[5].interrupts, 2, "no object lists"),
    DAMAGE(interrupts[0].object, 4, "an interrupt names another object"),
    DAMAGE(interrupts[2].object, 6, "an interrupt names another object"),
    DAMAGE(interrupts[1].number, IMAGE_INTERRUPT_MAX, "interrupt's number is out of range"),
    DAMAGE(interrupts[2].number, 255, "given twice"),
    DAMAGE(objects[8].peer, 1, "does not follow"),
    DAMAGE(objects[8].peer, IMAGE_NONE, "does not follow"),
    DAMAGE(objects[8].region, 0, "its type has none"),
    DAMAGE(objects[9].region, 0, "its type has none"),
    DAMAGE(objects[9].peer, 0, "its type has none"),
    DAMAGE(objects[10].region, 0, "names a region"),
    DAMAGE(objects[10].name[3], ' ', "name has a blank"),
    DAMAGE(objects[8].type, IMAGE_OBJECT_PROCESS, "two process objects"),
    DAMAGE(subscriptions[0].object, 9, "names another object"),
    DAMAGE(subscriptions[0].topics, 0, "no topic"),
    DAMAGE(subscriptions[0].topics, TOPIC_ALL + 1, "no topic or an unknown"),
    DAMAGE(subscriptions[0].topics, TOPIC_ALL, "has names without custom"),
    DAMAGE(subscriptions[0].topics, TOPIC_TICK, "has names without custom"),
    DAMAGE(subscriptions[0].names, 0, "or those without names"),
    DAMAGE(subscriptions[0].names, 9, "too many"),
    DAMAGE(subscriptions[0].names, 1, "more names than it counts"),
    DAMAGE(subscriptions[0].names, 3, "is empty"),
    DAMAGE(subscriptions[0].name[7][31], 1, "more names than it counts"),
    DAMAGE(subscriptions[0].name[0][2], ' ', "has a blank"),
    DAMAGE(subscriptions[0].name[1][31], 'x', "not terminated"),
    DAMAGE(subscriptions[0].depth, 0, "depth"),
    DAMAGE(subscriptions[0].depth, 4097, "depth"),
    DAMAGE(subscriptions[0].priority, 256, "priority"),
    DAMAGE(subscriptions[0].reserved, 1, "reserved field of a subscription"),
    DAMAGE(objects[6].peer, 2, "names no process"),
    DAMAGE(objects[6].peer, IMAGE_NONE, "names no process"),
    DAMAGE(objects[6].peer, 1, "is not the last"),
    DAMAGE(objects[7].peer, 0, "no thread of its process"),
    DAMAGE(objects[7].peer, 3, "no thread of its process"),
    DAMAGE(objects[7].peer, IMAGE_NONE, "no thread of its process"),
    DAMAGE(objects[11].peer, 0, "not its own process object"),
    DAMAGE(objects[1].peer, 1, "not its own process object"),
    DAMAGE(objects[1].name[0], 'P', "not named 'process'"),
    DAMAGE(objects[11].name[7], '2', "not named 'process'"),
};

Test(image, each_bad_field_has_its_sentence)
{
    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        const struct damage *d = &damages[i];
        struct sample s = sample_make();
        const char *why = NULL;
        memcpy((unsigned char *)&s + d->at, &d->value, d->width);
        image_seal(&s, sizeof(s));
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
    image_seal(&s, sizeof(s));
    cr_assert(check_copy(&s, sizeof(s), &why) == STATUS_INVALID_ARGUMENT);
    cr_assert(strstr(why, "thread's name") != NULL, "%s", why);
}

/* The sample with object `index` replaced by `o`. */
static void expect_refused_with(uint32_t index, struct image_object o, const char *sentence)
{
    struct sample s = sample_make();
    const char *why = NULL;
    s.objects[index] = o;
    image_seal(&s, sizeof(s));
    cr_assert(check_copy(&s, sizeof(s), &why) == STATUS_INVALID_ARGUMENT);
    cr_assert(strstr(why, sentence) != NULL, "'%s' is not in '%s'", sentence, why);
}

Test(image, second_initiator_on_a_handler_is_refused)
{
    expect_refused_with(3, sample_object(1, "IPC2", INITIATOR, 0), "do not name each other");
}

Test(image, second_supervisor_of_a_process_is_refused)
{
    expect_refused_with(4, sample_object(1, "ward", IMAGE_OBJECT_PROCESS, 0), "two process objects");
}

Test(image, second_object_of_a_thread_is_refused)
{
    expect_refused_with(4, sample_object(1, "again", IMAGE_OBJECT_THREAD, 2), "two thread objects name one thread");
}

Test(image, last_object_of_another_type_is_refused)
{
    expect_refused_with(11, sample_object(1, "process", IMAGE_OBJECT_THREAD, 1), "not its own process object");
}

/* The table begins behind the server's objects, whose last would do if it were one of the server's. */
Test(image, process_object_before_the_table_does_not_count)
{
    struct sample s = sample_make();
    const char *why = NULL;
    s.h.objects_offset += 2 * sizeof(struct image_object);
    s.h.objects -= 2;
    s.processes[0].objects = 0;
    s.processes[1].first_object = 0;
    s.objects[2] = sample_object(1, "group", IMAGE_OBJECT_WAIT_GROUP, IMAGE_NONE);
    s.subscriptions[0].object -= 2;
    for (uint32_t i = 0; i < s.h.interrupts; i++)
        s.interrupts[i].object -= 2;
    image_seal(&s, sizeof(s));
    cr_assert(check_copy(&s, sizeof(s), &why) == STATUS_INVALID_ARGUMENT);
    cr_assert(strstr(why, "not its own process object") != NULL, "%s", why);
}

/* Two objects with an entry each of the table: a number may not be in both, and each has its own run. */
Test(image, interrupt_numbers_are_compared_across_objects)
{
    struct sample s = sample_make();
    const char *why = NULL;
    s.objects[4] = sample_object(1, "one", IMAGE_OBJECT_INTERRUPT, IMAGE_NONE);
    s.objects[4].interrupts = 1;
    s.objects[5].first_interrupt = 1;
    s.objects[5].interrupts = 2;
    s.interrupts[0].object = 4;
    image_seal(&s, sizeof(s));
    cr_assert(check_copy(&s, sizeof(s), &why) == STATUS_OK, "%s", why);
    s.interrupts[0].number = s.interrupts[2].number;
    image_seal(&s, sizeof(s));
    cr_assert(check_copy(&s, sizeof(s), &why) == STATUS_INVALID_ARGUMENT);
    cr_assert(strstr(why, "given twice") != NULL, "%s", why);
}

Test(image, second_module_of_a_name_is_refused)
{
    expect_refused_with(4, sample_object(1, "module", HANDLER, IMAGE_NONE), "two modules have one name");
}

Test(image, modules_beyond_their_limit_are_refused)
{
    struct {
        struct sample s;
        struct image_object objects[2 + 12 + IMAGE_MODULES_MAX];
    } big = {.s = sample_make()};
    const char *why = NULL;
    for (uint32_t modules = IMAGE_MODULES_MAX; modules <= IMAGE_MODULES_MAX + 1; modules++) {
        uint32_t n = big.s.h.objects = 12 + modules - 1;
        memcpy(big.objects, big.s.objects, sizeof(big.s.objects));
        big.objects[n - 1] = big.objects[11];
        for (uint32_t i = 11; i < n - 1; i++) {
            big.objects[i] = sample_object(1, "mod", HANDLER, IMAGE_NONE);
            big.objects[i].name[3] = (char)('0' + i);
        }
        big.s.processes[1].objects = 10 + modules - 1;
        big.s.h.bytes = sizeof(big);
        big.s.h.objects_offset = offsetof(typeof(big), objects);
        image_seal(&big, sizeof(big));
        bool fits = modules <= IMAGE_MODULES_MAX;
        cr_assert(check_copy(&big, sizeof(big), &why) == (fits ? STATUS_OK : STATUS_INVALID_ARGUMENT), "%s", why);
        cr_assert(fits || strstr(why, "too many modules"), "%s", why);
    }
}

Test(image, names_of_a_subscription_are_compared)
{
    struct sample s = sample_make();
    const char *why = NULL;
    memcpy(s.subscriptions[0].name[1], s.subscriptions[0].name[0], IMAGE_NAME_BYTES);
    image_seal(&s, sizeof(s));
    cr_assert(check_copy(&s, sizeof(s), &why) == STATUS_INVALID_ARGUMENT);
    cr_assert(strstr(why, "a name twice") != NULL, "%s", why);
}

/* All topics, which need no names; and an entry that no object has. */
Test(image, subscription_to_everything)
{
    struct sample s = sample_make();
    const char *why = NULL;
    s.subscriptions[0].topics = TOPIC_ALL;
    s.subscriptions[0].names = 0;
    memset(s.subscriptions[0].name, 0, sizeof(s.subscriptions[0].name));
    image_seal(&s, sizeof(s));
    cr_assert(check_copy(&s, sizeof(s), &why) == STATUS_OK, "%s", why);
    s.objects[8] = sample_object(1, "free", IMAGE_OBJECT_WAIT_GROUP, IMAGE_NONE);
    image_seal(&s, sizeof(s));
    cr_assert(check_copy(&s, sizeof(s), &why) == STATUS_INVALID_ARGUMENT);
    cr_assert(strstr(why, "entries of no object") != NULL, "%s", why);
}

Test(image, supervision_may_go_both_ways)
{
    struct sample s = sample_make();
    const char *why = NULL;
    s.objects[0] = sample_object(0, "ward", IMAGE_OBJECT_PROCESS, 1);
    s.objects[2] = sample_object(1, "free", IMAGE_OBJECT_WAIT_GROUP, IMAGE_NONE);
    image_seal(&s, sizeof(s));
    cr_assert(check_copy(&s, sizeof(s), &why) == STATUS_OK, "%s", why);
}

Test(image, file_may_end_with_a_table)
{
    struct sample s = sample_make();
    const char *why = NULL;
    s.regions[0].file_bytes = s.regions[2].file_bytes = 0;
    s.regions[0].file_offset = s.regions[2].file_offset = 0;
    s.h.bytes = offsetof(struct sample, text);
    image_seal(&s, s.h.bytes);
    cr_assert(check_copy(&s, s.h.bytes, &why) == STATUS_OK, "%s", why);
}
