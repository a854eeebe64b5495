/* SPDX-License-Identifier: MIT
 * Multiboot2 information: tags are walked by their sizes, both RSDP forms are taken, and no size leads out of the
 * block. */
#include "tests/unit/arch/x86_64/boot_info_check.h"

enum { INFO = 0x40, MODULE = 0x400, IMAGE_BYTES = 0x480 };

static uint8_t image[IMAGE_BYTES];
static size_t end; /* of the block in the image, as a physical address */
static struct boot_info info;

static uint8_t *tag_begin(uint32_t type, size_t bytes)
{
    uint8_t *tag = image + end;
    put32(tag, type);
    put32(tag + 4, 8 + bytes);
    end += (8 + bytes + 7) & ~(size_t)7;
    must(end <= MODULE);
    return tag + 8;
}

static void block_begin(void)
{
    memset(image + INFO, 0, MODULE - INFO);
    end = INFO + 8;
}

static void block_end(void)
{
    (void)tag_begin(0, 0);
    put32(image + INFO, end - INFO);
    window_load(image, IMAGE_BYTES);
}

static void add_text(uint32_t type, const char *text)
{
    memcpy(tag_begin(type, strlen(text) + 1), text, strlen(text) + 1);
}

static void add_module(uint32_t from, uint32_t to, const char *text)
{
    uint8_t *tag = tag_begin(3, 8 + strlen(text) + 1);
    put32(tag, from);
    put32(tag + 4, to);
    memcpy(tag + 8, text, strlen(text) + 1);
}

/* `entry_bytes` may be larger than the 24 of today. */
static void add_map(size_t entry_bytes)
{
    static const struct memory_range map[] = {
        {0, 0x9fc00, MEMORY_RAM}, {0xf0000, 0x10000, MEMORY_RESERVED}, {0x100000, 0x7ee0000, MEMORY_RAM}};
    uint8_t *tag = tag_begin(6, 8 + 3 * entry_bytes);
    put32(tag, entry_bytes);
    for (size_t i = 0; i < 3; i++) {
        put64(tag + 8 + i * entry_bytes, map[i].base);
        put64(tag + 8 + i * entry_bytes + 8, map[i].bytes);
        put32(tag + 8 + i * entry_bytes + 16, map[i].type);
    }
}

static void build(void)
{
    block_begin();
    add_text(1, "log=debug");
    add_text(2, "GRUB 2.06");
    tag_begin(21, 4);
    add_module(MODULE, MODULE + 0x80, "system image");
    add_map(24);
    tag_begin(99, 13);
    memset(tag_begin(14, 20), 'a', 20);
    memset(tag_begin(15, 36), 'b', 36);
    block_end();
}

TestSuite(multiboot2, .init = build, .timeout = 60);

static enum status decode(void)
{
    memset(&info, 0xa5, sizeof info);
    const enum status status = multiboot2_decode(INFO, &info);
    if (status == STATUS_OK)
        boot_info_check(&info);
    return status;
}

Test(multiboot2, every_field_arrives)
{
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(int, strcmp(info.protocol, "Multiboot2"), 0));
    cr_assert(eq(str, info.loader, "GRUB 2.06"));
    cr_assert(eq(str, info.cmdline, "log=debug"));
    cr_assert(not(info.cmdline_truncated));
    cr_assert(eq(sz, info.memory.count, 3));
    cr_assert(eq(sz, info.memory.refused, 0));
    cr_assert(eq(u64, info.memory.ranges[2].base, 0x100000));
    cr_assert(eq(u64, info.memory.ranges[2].bytes, 0x7ee0000));
    cr_assert(eq(u32, info.memory.ranges[1].type, MEMORY_RESERVED));
    cr_assert(eq(sz, info.module_count, 1));
    cr_assert(eq(u64, info.modules[0].base, MODULE));
    cr_assert(eq(u64, info.modules[0].bytes, 0x80));
    cr_assert(eq(str, info.modules[0].cmdline, "system image"));
    cr_assert(eq(u64, info.rsdp, 0));
    cr_assert(eq(sz, info.refused, 0));
    cr_assert(boot_info_reserves(&info, INFO, end - INFO));
    cr_assert(boot_info_reserves(&info, MODULE, 0x80));
}

Test(multiboot2, the_longer_rsdp_wins_in_either_order)
{
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(sz, info.rsdp_copy_bytes, 36));
    cr_assert(eq(u8, info.rsdp_copy[35], 'b'));
    block_begin();
    memset(tag_begin(15, 36), 'b', 36);
    memset(tag_begin(14, 20), 'a', 20);
    block_end();
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(sz, info.rsdp_copy_bytes, 36));
    cr_assert(eq(u8, info.rsdp_copy[0], 'b'));
    block_begin();
    memset(tag_begin(14, 20), 'a', 20);
    tag_begin(15, 35);
    block_end();
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(sz, info.rsdp_copy_bytes, 20));
    cr_assert(eq(sz, info.refused, 1));
}

Test(multiboot2, map_entries_are_stepped_by_the_size_the_tag_gives)
{
    block_begin();
    add_map(40);
    block_end();
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(sz, info.memory.count, 3));
    cr_assert(eq(u64, info.memory.ranges[2].base, 0x100000));
    for (uint32_t step = 0; step < 24; step++) {
        put32(test_phys + INFO + 16, step);
        cr_assert(eq(int, decode(), STATUS_OK));
        cr_assert(eq(sz, info.memory.count, 0));
        cr_assert(eq(sz, info.refused, 1));
    }
    put32(test_phys + INFO + 16, UINT32_MAX);
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(sz, info.memory.count, 1));
}

Test(multiboot2, an_impossible_block_leaves_the_output_alone)
{
    cr_assert(eq(int, multiboot2_decode(INFO + 4, &info), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, multiboot2_decode(0, &info), STATUS_OUT_OF_RANGE));
    cr_assert(eq(int, multiboot2_decode(IMAGE_BYTES, &info), STATUS_OUT_OF_RANGE));
    static const uint32_t sizes[] = {0, 8, 15, (1 << 20) + 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        put32(test_phys + INFO, sizes[i]);
        cr_assert(eq(int, decode(), STATUS_DATA_LOSS));
    }
    put32(test_phys + INFO, IMAGE_BYTES - INFO + 1);
    cr_assert(eq(int, decode(), STATUS_OUT_OF_RANGE));
    for (size_t i = 0; i < sizeof info; i++)
        must(((const uint8_t *)&info)[i] == 0xa5);
}

Test(multiboot2, what_came_before_a_bad_tag_stands)
{
    static const uint32_t sizes[] = {0, 1, 7, 0x7fffffff, 0xfffffff8, UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        block_begin();
        add_text(1, "log=debug");
        uint8_t *bad = tag_begin(77, 8);
        add_text(2, "after it");
        block_end();
        put32(test_phys + (bad - image) - 4, sizes[i]);
        cr_assert(eq(int, decode(), STATUS_OK));
        cr_assert(eq(str, info.cmdline, "log=debug"));
        cr_assert(eq(str, info.loader, ""));
        cr_assert(eq(sz, info.refused, 1));
    }
}

Test(multiboot2, text_without_end_stays_inside_its_tag)
{
    block_begin();
    memset(tag_begin(1, 8), 'c', 8);
    memset(tag_begin(2, 100), 'l', 100);
    block_end();
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(str, info.cmdline, "cccccccc"));
    cr_assert(info.cmdline_truncated);
    cr_assert(eq(sz, strlen(info.loader), sizeof info.loader - 1));
}

Test(multiboot2, bad_modules_are_counted)
{
    block_begin();
    add_module(MODULE + 1, MODULE, "backwards");
    add_module(MODULE, MODULE, "empty");
    add_module(MODULE, IMAGE_BYTES + 1, "outside");
    add_module(0, 0x10, "at nothing");
    tag_begin(3, 4);
    for (int i = 0; i < 10; i++)
        add_module(MODULE, MODULE + 1, "m");
    block_end();
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(sz, info.module_count, BOOT_MODULES_MAX));
    cr_assert(eq(sz, info.refused, 7));
}

Test(multiboot2, a_backwards_module_does_not_become_a_huge_one)
{
    block_begin();
    add_module(MODULE + 1, MODULE, "backwards");
    block_end();
    boot_table_set_limit(UINT64_C(1) << 40); /* 2^32 - 1 bytes are within it */
    cr_assert(eq(int, multiboot2_decode(INFO, &info), STATUS_OK));
    cr_assert(eq(sz, info.module_count, 0));
    cr_assert(eq(sz, info.refused, 1));
}

Test(multiboot2, more_map_entries_than_fit_are_counted)
{
    enum { ENTRIES = MEMORY_RANGES_MAX + 2, BLOCK_BYTES = 8 + 16 + ENTRIES * 24 + 8 };
    static uint8_t big[INFO + BLOCK_BYTES];
    put32(big + INFO, BLOCK_BYTES);
    put32(big + INFO + 8, 6);
    put32(big + INFO + 12, 16 + ENTRIES * 24);
    put32(big + INFO + 16, 24);
    for (uint64_t i = 0; i < ENTRIES; i++) {
        put64(big + INFO + 24 + i * 24, i << 20);
        put64(big + INFO + 32 + i * 24, 1 << 20);
    }
    put32(big + INFO + BLOCK_BYTES - 4, 8);
    window_load(big, sizeof big);
    cr_assert(eq(int, decode(), STATUS_OK));
    cr_assert(eq(sz, info.memory.count, MEMORY_RANGES_MAX));
    cr_assert(eq(sz, info.memory.refused, 2));
    cr_assert(eq(sz, info.refused, 0));
}

Test(multiboot2, block_of_every_length)
{
    for (size_t total = 0; total <= end - INFO; total++) {
        put32(image + INFO, total);
        window_load(image, INFO + total);
        const enum status status = decode();
        must(status == (total < 8 ? STATUS_OUT_OF_RANGE : total < 16 ? STATUS_DATA_LOSS : STATUS_OK));
        must(status != STATUS_OK || info.module_count == 0); /* the module itself is out of reach */
    }
}

Test(multiboot2, memory_of_every_length)
{
    for (size_t n = 0; n < IMAGE_BYTES; n++) {
        window_load(image, n);
        must(decode() == (n < end ? STATUS_OUT_OF_RANGE : STATUS_OK));
    }
}

Test(multiboot2, every_value_of_every_byte)
{
    for (size_t at = INFO; at < end; at++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            test_phys[at] ^= (uint8_t)flip;
            const enum status status = decode();
            must(status == STATUS_OK || at < INFO + 4);
            test_phys[at] = image[at];
        }
    }
}

Test(multiboot2, random_damage)
{
    window_load(image, end);
    for (int i = 0; i < 100000; i++) {
        mutate(test_phys + INFO + 4, end - INFO - 4);
        must(decode() == STATUS_OK);
        memcpy(test_phys, image, end);
    }
}
