/* SPDX-License-Identifier: MIT
 * PVH start_info: the fields arrive, version 0 has no map, and no damaged byte, count or pointer is followed out of
 * memory. */
#include <stdint.h>
#include <xen/arch-x86/hvm/start_info.h>

#include "tests/unit/arch/x86_64/boot_info_check.h"

enum {
    START = 0x100,
    CMDLINE = 0x140,
    MODULES = 0x180,
    MODULE_CMDLINE = 0x1c0,
    MEMMAP = 0x200,
    MEMMAP_COUNT = 4, /* the last is all zeros, as microvm has it */
    FIRST = 0x280,
    SECOND = 0x300,
    IMAGE_BYTES = 0x340,
};

static uint8_t image[IMAGE_BYTES];
static struct boot_info info;

static struct hvm_start_info *start_of(uint8_t *memory)
{
    return (struct hvm_start_info *)(void *)(memory + START);
}

static void build(void)
{
    *start_of(image) = (struct hvm_start_info){
        .magic = XEN_HVM_START_MAGIC_VALUE, .version = 1, .nr_modules = 2, .modlist_paddr = MODULES,
        .cmdline_paddr = CMDLINE, .rsdp_paddr = 0xf5c20, .memmap_paddr = MEMMAP, .memmap_entries = MEMMAP_COUNT};
    strcpy((char *)image + CMDLINE, "log=debug bench=all");
    strcpy((char *)image + MODULE_CMDLINE, "system image");
    const struct hvm_modlist_entry modules[] = {{.paddr = FIRST, .size = 0x80, .cmdline_paddr = MODULE_CMDLINE},
                                                {.paddr = SECOND, .size = 0x40}};
    memcpy(image + MODULES, modules, sizeof modules);
    const struct hvm_memmap_table_entry map[MEMMAP_COUNT] = {
        {.addr = 0, .size = 0x9fc00, .type = XEN_HVM_MEMMAP_TYPE_RAM},
        {.addr = 0xd0000, .size = 0x1000, .type = XEN_HVM_MEMMAP_TYPE_NVS},
        {.addr = 0x100000, .size = 0x7f00000, .type = XEN_HVM_MEMMAP_TYPE_RAM},
    };
    memcpy(image + MEMMAP, map, sizeof map);
    window_load(image, IMAGE_BYTES);
}

TestSuite(pvh, .init = build, .timeout = 60);

static enum status decode(void)
{
    memset(&info, 0xa5, sizeof info);
    const enum status status = pvh_decode(START, &info);
    if (status == STATUS_OK)
        boot_info_check(&info);
    return status;
}

Test(pvh, every_field_arrives)
{
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(int, strcmp(info.protocol, "PVH"), 0));
    cr_assert(eq(str, info.loader, ""));
    cr_assert(eq(str, info.cmdline, "log=debug bench=all"));
    cr_assert(not(info.cmdline_truncated));
    cr_assert(eq(u64, info.rsdp, 0xf5c20));
    cr_assert(eq(sz, info.rsdp_copy_bytes, 0));
    cr_assert(eq(sz, info.refused, 0));
    cr_assert(eq(sz, info.memory.count, 3));
    cr_assert(eq(sz, info.memory.refused, 1));
    cr_assert(eq(u64, info.memory.ranges[2].base, 0x100000));
    cr_assert(eq(u64, info.memory.ranges[2].bytes, 0x7f00000));
    cr_assert(eq(u32, info.memory.ranges[1].type, MEMORY_NVS));
    cr_assert(eq(sz, info.module_count, 2));
    cr_assert(eq(u64, info.modules[0].base, FIRST));
    cr_assert(eq(u64, info.modules[0].bytes, 0x80));
    cr_assert(eq(str, info.modules[0].cmdline, "system image"));
    cr_assert(eq(str, info.modules[1].cmdline, ""));
}

Test(pvh, all_that_was_read_and_all_modules_are_reserved)
{
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(boot_info_reserves(&info, START, sizeof(struct hvm_start_info)));
    cr_assert(boot_info_reserves(&info, CMDLINE, strlen("log=debug bench=all")));
    cr_assert(boot_info_reserves(&info, MEMMAP, MEMMAP_COUNT * sizeof(struct hvm_memmap_table_entry)));
    cr_assert(boot_info_reserves(&info, MODULES, 2 * sizeof(struct hvm_modlist_entry)));
    cr_assert(boot_info_reserves(&info, FIRST, 0x80));
    cr_assert(boot_info_reserves(&info, SECOND, 0x40));
    cr_assert(not(boot_info_reserves(&info, SECOND, 0x41)));
}

Test(pvh, nothing_points_into_the_tables_afterwards)
{
    cr_assert(eq(int, decode(), STATUS_OK));
    memset(test_phys, 0xff, IMAGE_BYTES);
    cr_assert(eq(str, info.cmdline, "log=debug bench=all"));
    cr_assert(eq(str, info.modules[0].cmdline, "system image"));
    cr_assert(eq(u64, info.memory.ranges[0].bytes, 0x9fc00));
}

Test(pvh, version_0_has_no_memory_map)
{
    /* The bytes after version 0's end belong to somebody else: here there are none. */
    static uint8_t old[START + 40];
    memcpy(old, image, sizeof old);
    start_of(old)->version = 0;
    start_of(old)->cmdline_paddr = 0;
    window_load(old, sizeof old);
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(sz, info.memory.count, 0));
    cr_assert(eq(sz, info.memory.refused, 0));
    cr_assert(eq(sz, info.refused, 2), "the module list is out of reach");
    cr_assert(eq(str, info.cmdline, ""));
}

Test(pvh, absent_parts_are_empty)
{
    *start_of(test_phys) = (struct hvm_start_info){.magic = XEN_HVM_START_MAGIC_VALUE, .version = 1};
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(sz, info.memory.count + info.memory.refused + info.module_count + info.refused, 0));
    cr_assert(eq(u64, info.rsdp, 0));
    cr_assert(not(info.cmdline_truncated));
    cr_assert(eq(sz, info.reserve_count, 1));
}

Test(pvh, a_bad_magic_or_address_leaves_the_output_alone)
{
    cr_assert(eq(int, pvh_decode(0, &info), STATUS_OUT_OF_RANGE));
    cr_assert(eq(int, pvh_decode(IMAGE_BYTES - 39, &info), STATUS_OUT_OF_RANGE));
    cr_assert(eq(int, pvh_decode(UINT64_MAX - 8, &info), STATUS_OUT_OF_RANGE));
    start_of(test_phys)->magic ^= 0x80;
    cr_assert(eq(int, decode(), STATUS_DATA_LOSS));
    for (size_t i = 0; i < sizeof info; i++)
        must(((const uint8_t *)&info)[i] == 0xa5);
}

Test(pvh, a_long_command_line_is_cut_and_said_to_be)
{
    static uint8_t big[IMAGE_BYTES + 4096];
    memcpy(big, image, IMAGE_BYTES);
    start_of(big)->cmdline_paddr = IMAGE_BYTES;
    for (size_t length = sizeof info.cmdline - 2; length <= sizeof info.cmdline + 1; length++) {
        memset(big + IMAGE_BYTES, 0, 4096);
        memset(big + IMAGE_BYTES, 'x', length);
        window_load(big, sizeof big);
        cr_assert(eq(int, decode(), STATUS_OK));
        const size_t kept = length < sizeof info.cmdline ? length : sizeof info.cmdline - 1;
        cr_assert(eq(sz, strlen(info.cmdline), kept));
        cr_assert(eq(int, info.cmdline_truncated, length >= sizeof info.cmdline));
    }
}

Test(pvh, a_command_line_without_end_stops_at_the_end_of_memory)
{
    memset(image + IMAGE_BYTES - 16, 'y', 16);
    start_of(image)->cmdline_paddr = IMAGE_BYTES - 16;
    window_load(image, IMAGE_BYTES);
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(str, info.cmdline, "yyyyyyyyyyyyyyyy"));
    cr_assert(info.cmdline_truncated);
}

Test(pvh, more_entries_than_fit_are_counted)
{
    static uint8_t big[0x8000];
    memcpy(big, image, IMAGE_BYTES);
    for (uint64_t i = 0; i < 200; i++) {
        const struct hvm_memmap_table_entry entry = {.addr = i << 20, .size = 1 << 20, .type = 1};
        memcpy(big + 0x1000 + i * sizeof entry, &entry, sizeof entry);
    }
    for (uint64_t i = 0; i < 20; i++) {
        const struct hvm_modlist_entry entry = {.paddr = FIRST, .size = 1};
        memcpy(big + 0x4000 + i * sizeof entry, &entry, sizeof entry);
    }
    start_of(big)->memmap_paddr = 0x1000;
    start_of(big)->memmap_entries = 200;
    start_of(big)->modlist_paddr = 0x4000;
    start_of(big)->nr_modules = 20;
    window_load(big, sizeof big);
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(sz, info.memory.count, MEMORY_RANGES_MAX));
    cr_assert(eq(sz, info.memory.refused, 200 - MEMORY_RANGES_MAX));
    cr_assert(eq(sz, info.module_count, BOOT_MODULES_MAX));
    cr_assert(eq(sz, info.refused, 20 - BOOT_MODULES_MAX));
    start_of(test_phys)->memmap_entries = UINT32_MAX;
    start_of(test_phys)->nr_modules = UINT32_MAX;
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(sz, info.memory.refused, UINT32_MAX - MEMORY_RANGES_MAX));
}

Test(pvh, wrapping_and_unreachable_ranges_are_refused)
{
    const struct hvm_memmap_table_entry wraps = {.addr = UINT64_MAX - 0xfff, .size = 0x1000, .type = 1};
    memcpy(test_phys + MEMMAP, &wraps, sizeof wraps);
    const struct hvm_modlist_entry outside = {.paddr = FIRST, .size = UINT64_MAX - FIRST + 2};
    memcpy(test_phys + MODULES, &outside, sizeof outside);
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(sz, info.memory.count, 2));
    cr_assert(eq(sz, info.memory.refused, 2));
    cr_assert(eq(sz, info.module_count, 1));
    cr_assert(eq(sz, info.refused, 1));
}

Test(pvh, memory_of_every_length)
{
    for (size_t n = 0; n <= IMAGE_BYTES; n++) {
        window_load(image, n);
        const enum status status = decode();
        must(status == (n < START + sizeof(struct hvm_start_info) ? STATUS_OUT_OF_RANGE : STATUS_OK));
        if (status != STATUS_OK)
            continue;
        const size_t map = n < MEMMAP ? 0 : (n - MEMMAP) / sizeof(struct hvm_memmap_table_entry);
        must(info.memory.count == (map < 3 ? map : 3));
        must(info.memory.count + info.memory.refused == MEMMAP_COUNT);
        must(info.module_count == (size_t)(n >= FIRST + 0x80) + (n >= SECOND + 0x40));
        must(info.module_count + info.refused == 2);
    }
}

Test(pvh, every_value_of_every_byte)
{
    for (size_t at = START; at < FIRST; at++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            test_phys[at] ^= (uint8_t)flip;
            const enum status status = decode();
            must((status == STATUS_OK) == (at >= START + 4));
            test_phys[at] = image[at];
        }
    }
}

Test(pvh, random_damage)
{
    for (int i = 0; i < 100000; i++) {
        mutate(test_phys + START + (i & 1 ? 4 : 0), FIRST - START - 4);
        (void)decode();
        memcpy(test_phys, image, IMAGE_BYTES);
    }
}
