/* SPDX-License-Identifier: MIT
 * IO-APICs against played ones: entries as the tables ask for them, several controllers, lines that nobody has, tables
 * that lie. The played ones refuse what the real ones would not survive: a data access without its index, or an entry
 * that is changed while its line could fire. */
#include "arch/x86_64/ioapic.h"

#include <arch/io.h>
#include <arch/memory.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

#define BASE UINT64_C(0xfec00000)
#define STRIDE 0x1000u
#define MASKED (1u << 16)
#define LEVEL (1u << 15)
#define LOW (1u << 13)

static struct played {
    uint32_t version;
    uint32_t index;
    uint32_t entries[2 * 256];
} played[3];

static unsigned char window[sizeof played / sizeof played[0] * STRIDE];
static struct cpu_list list;

static struct played *played_of(const void *base, uint32_t offset)
{
    const size_t i = (size_t)((const unsigned char *)base - window) / STRIDE;
    cr_assert(i < 3 && (const unsigned char *)base == window + i * STRIDE && (offset == 0 || offset == 0x10));
    return &played[i];
}

uint32_t mmio_read32(const void *base, uint32_t offset)
{
    const struct played *p = played_of(base, offset);
    cr_assert(offset == 0x10);
    if (p->index == 1)
        return p->version;
    cr_assert(p->index >= 0x10 && p->index - 0x10 < 512, "index %#x", p->index);
    return p->entries[p->index - 0x10];
}

void mmio_write32(void *base, uint32_t offset, uint32_t v)
{
    struct played *p = played_of(base, offset);
    if (offset == 0) {
        p->index = v;
        return;
    }
    const uint32_t at = p->index - 0x10;
    cr_assert(p->index >= 0x10 && at < 2 * ((p->version >> 16 & 0xff) + 1), "index %#x", p->index);
    if (at & 1)
        cr_assert(0 != (p->entries[at - 1] & MASKED), "the target of a line that can fire is changed");
    p->entries[at] = v;
    p->index = 0xee; /* the next access must say where */
}

static void begin(void)
{
    test_phys = window;
    test_phys_base = BASE;
    test_phys_bytes = sizeof window;
    for (size_t i = 0; i < 3; i++) {
        played[i] = (struct played){.version = 23u << 16 | 0x11};
        memset(played[i].entries, 0xa5, sizeof played[i].entries); /* what a boot loader left */
        for (size_t e = 0; e < 512; e += 2)
            played[i].entries[e] |= MASKED;
    }
    cpu_list_init(&list, "test");
}

static void add(uint32_t number, uint32_t first)
{
    cpu_list_add_ioapic(&list, (struct ioapic_info){number, first, BASE + number * STRIDE});
}

static void override(uint32_t gsi, uint16_t flags)
{
    cpu_list_add_override(&list, (struct irq_override){.gsi = gsi, .flags = flags});
}

TestSuite(ioapic, .init = begin);

Test(ioapic, every_line_is_masked_at_boot)
{
    add(0, 0);
    for (size_t i = 0; i < 48; i++)
        played[0].entries[i] = 0x30;
    played[0].entries[1] = 0; /* as if the loader had left it open */
    ioapic_init(&list);
    for (size_t i = 0; i < 24; i++)
        cr_assert(eq(u32, played[0].entries[2 * i], MASKED));
    cr_assert(eq(u32, played[0].entries[48], 0xa5a5a5a5 | MASKED), "past the last entry");
}

Test(ioapic, a_line_is_what_its_bus_is)
{
    add(0, 0);
    ioapic_init(&list);
    cr_assert(eq(int, ioapic_route(4, 0x41, 7), STATUS_OK));
    cr_assert(eq(u32, played[0].entries[8], MASKED | 0x41));
    cr_assert(eq(u32, played[0].entries[9], 7u << 24));
    cr_assert(eq(int, ioapic_is_level(15), 0));
    cr_assert(eq(int, ioapic_route(16, 0x42, 254), STATUS_OK));
    cr_assert(eq(u32, played[0].entries[32], MASKED | LEVEL | LOW | 0x42));
    cr_assert(eq(u32, played[0].entries[33], 254u << 24));
    cr_assert(eq(int, ioapic_is_level(16), 1));
}

Test(ioapic, the_firmware_knows_better)
{
    static const struct {
        uint16_t flags;
        uint32_t expected;
    } cases[] = {{0, 0},   {0xd, LEVEL}, {0xf, LEVEL | LOW}, {0x5, 0},   {0x7, LOW},  {0x1, 0},       {0xc, LEVEL},
                 {0xa, 0}, {0x8, 0},     {0x2, 0},           {0x3, LOW}, {0xfff0, 0}, {0xfffd, LEVEL}};
    add(0, 0);
    ioapic_init(&list);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (uint32_t gsi = 9; gsi <= 20; gsi += 11) {
            list.override_count = 0;
            override(gsi + 1, 0xf);
            override(gsi, cases[i].flags);
            override(gsi, ~cases[i].flags & 0xf); /* the first counts */
            cr_assert(eq(int, ioapic_route(gsi, 0x50, 0), STATUS_OK));
            cr_assert(eq(u32, played[0].entries[2 * gsi], MASKED | 0x50 | cases[i].expected), "flags %#x, line %u",
                      cases[i].flags, gsi);
            cr_assert(eq(int, ioapic_is_level(gsi), !!(cases[i].expected & LEVEL)));
        }
    }
}

Test(ioapic, masks_change_one_bit)
{
    add(0, 0);
    ioapic_init(&list);
    cr_assert(eq(int, ioapic_route(16, 0x42, 3), STATUS_OK));
    played[0].entries[32] |= 1u << 14; /* remote IRR, which the hardware sets */
    for (int round = 0; round < 2; round++) {
        ioapic_unmask(16);
        cr_assert(eq(u32, played[0].entries[32], LEVEL | LOW | 1u << 14 | 0x42));
        ioapic_mask(16);
        ioapic_mask(16);
        cr_assert(eq(u32, played[0].entries[32], MASKED | LEVEL | LOW | 1u << 14 | 0x42));
    }
    ioapic_unmask(16);
    cr_assert(eq(int, ioapic_route(16, 0x43, 5), STATUS_OK), "again, while it can fire");
    cr_assert(eq(u32, played[0].entries[33], 5u << 24));
    cr_assert(eq(u32, played[0].entries[30], MASKED));
    cr_assert(eq(u32, played[0].entries[34], MASKED));
}

Test(ioapic, several_ioapics_and_the_gaps_between)
{
    played[1].version = 7u << 16;
    played[2].version = 239u << 16;
    add(1, 24);
    add(0, 0);
    add(2, 40);
    ioapic_init(&list);
    for (uint32_t gsi = 0; gsi < 300; gsi++)
        cr_assert(eq(int, ioapic_has(gsi), gsi < 32 || (gsi >= 40 && gsi < 280)), "line %u", gsi);
    cr_assert(eq(int, ioapic_has(UINT32_MAX), 0));
    cr_assert(eq(int, ioapic_route(31, 0x60, 1), STATUS_OK));
    cr_assert(eq(u32, played[1].entries[14], MASKED | LEVEL | LOW | 0x60));
    cr_assert(eq(int, ioapic_route(279, 0x61, 1), STATUS_OK));
    cr_assert(eq(u32, played[2].entries[2 * 239], MASKED | LEVEL | LOW | 0x61));
    cr_assert(eq(int, ioapic_route(32, 0x62, 1), STATUS_NOT_FOUND));
    cr_assert(eq(int, ioapic_route(280, 0x62, 1), STATUS_NOT_FOUND));
}

Test(ioapic, a_cpu_that_no_entry_can_name)
{
    add(0, 0);
    ioapic_init(&list);
    cr_assert(eq(int, ioapic_route(4, 0x41, 254), STATUS_OK));
    const uint32_t before = played[0].entries[9];
    cr_assert(eq(int, ioapic_route(4, 0x41, 255), STATUS_OUT_OF_RANGE));
    cr_assert(eq(int, ioapic_route(4, 0x41, 0x12345), STATUS_OUT_OF_RANGE));
    cr_assert(eq(u32, played[0].entries[9], before));
}

Test(ioapic, none)
{
    ioapic_init(&list);
    cr_assert(eq(int, ioapic_has(0), 0));
    cr_assert(eq(int, ioapic_route(0, 0x40, 0), STATUS_NOT_FOUND));
}

Test(ioapic, what_cannot_be_one_is_left_out)
{
    played[0].version = UINT32_MAX; /* nothing answers */
    played[1].version = 240u << 16; /* more lines than there are registers for */
    add(0, 0);
    add(1, 0);
    add(2, UINT32_MAX - 10);
    ioapic_init(&list);
    cr_assert(eq(int, ioapic_has(0), 0));
    cr_assert(eq(int, ioapic_has(UINT32_MAX - 5), 0));
    cr_assert(eq(u32, played[0].entries[0], 0xa5a5a5a5 | MASKED), "untouched");

    cpu_list_init(&list, "test");
    cpu_list_add_ioapic(&list, (struct ioapic_info){0, 0, BASE + 2 * STRIDE + 0x10});
    ioapic_init(&list);
    cr_assert(eq(int, ioapic_has(0), 0), "an address that none has");
}

Test(ioapic, lines_have_one_owner)
{
    static const uint32_t firsts[] = {0, 1, 23};
    for (size_t i = 0; i < 3; i++) {
        cpu_list_init(&list, "test");
        add(0, firsts[i]);
        add(1, 10);
        add(2, 48);
        ioapic_init(&list);
        cr_assert(eq(int, ioapic_has(firsts[i] + 23), 1));
        cr_assert(eq(int, ioapic_route(23, 0x41, 0), STATUS_OK));
        cr_assert(eq(u32, played[0].entries[2 * (23 - firsts[i])] & 0xff, 0x41));
        cr_assert(eq(int, ioapic_has(33), firsts[i] == 23), "of the second only what the first has");
        cr_assert(eq(int, ioapic_has(48), 1));
    }
}

/* Whatever the firmware says, each line belongs to one entry of one IO-APIC, and no other register is touched. */
Test(ioapic, random_tables, .timeout = 60)
{
    uint64_t state = 0x9e3779b97f4a7c15;
    for (int round = 0; round < 3000; round++) {
        begin();
        for (uint32_t i = 0; i < 3; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            const uint32_t r = (uint32_t)(state >> 32);
            played[i].version = r & 1 ? r : (r & 0x1f0000);
            add(i, r & 2 ? r >> 3 & 63 : r);
            override(r >> 4 & 63, (uint16_t)(r >> 8));
        }
        ioapic_init(&list);
        for (uint32_t gsi = 0; gsi < 320; gsi++) {
            const enum status s = ioapic_route(gsi, (uint8_t)(gsi | 1), gsi & 127);
            cr_assert(eq(int, s, ioapic_has(gsi) ? STATUS_OK : STATUS_NOT_FOUND));
        }
        for (uint32_t gsi = 0; gsi < 320; gsi++) {
            if (ioapic_has(gsi)) {
                ioapic_unmask(gsi);
                ioapic_mask(gsi);
            }
        }
    }
}
