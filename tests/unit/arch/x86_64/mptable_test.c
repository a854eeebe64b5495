/* SPDX-License-Identifier: MIT
 * MP table: found in every place it may be, walked by its length, and no damaged length, type or pointer leads out of
 * it. */
#include "tests/unit/arch/x86_64/cpu_list_check.h"

#include "arch/x86_64/mptable.h"

/* The table ends where memory ends; memory ends below the ROM area unless a test loads the whole first MiB. */
enum {
    LAST_KIB = 0x9fc00,
    TABLE = 0xa0000,
    ROM_END = 0x100000,
    LAPIC = 0xfee00000,
};

static uint8_t image[ROM_END];
static size_t table_bytes;
static struct cpu_list cpus;

static void put_floating(uint8_t *to, uint32_t table)
{
    memset(to, 0, 16);
    memcpy(to, "_MP_", 4);
    put32(to + 4, table);
    to[8] = 1;
    to[9] = 4;
    put_sum(to, 16, 10);
}

static void table_begin(void)
{
    memset(image + TABLE, 0, 44);
    memcpy(image + TABLE, "PCMP", 4);
    image[TABLE + 6] = 4;
    put32(image + TABLE + 36, LAPIC);
    table_bytes = 44;
}

static void add_cpu(uint8_t id, uint8_t flags)
{
    uint8_t *entry = image + TABLE + table_bytes;
    memset(entry, 0, 20);
    entry[1] = id;
    entry[3] = flags;
    table_bytes += 20;
}

static uint8_t *add_entry(uint8_t type)
{
    uint8_t *entry = image + TABLE + table_bytes;
    memset(entry, 0, 8);
    entry[0] = type;
    table_bytes += 8;
    return entry;
}

static void add_ioapic(uint8_t id, uint8_t flags, uint32_t address)
{
    uint8_t *entry = add_entry(2);
    entry[1] = id;
    entry[3] = flags;
    put32(entry + 4, address);
}

static void add_bus(uint8_t id, const char *name)
{
    uint8_t *entry = add_entry(1);
    entry[1] = id;
    memcpy(entry + 2, name, 6);
}

static void add_interrupt(uint16_t flags, uint8_t bus, uint8_t source, uint8_t ioapic, uint8_t pin)
{
    uint8_t *entry = add_entry(3);
    put16(entry + 2, flags);
    entry[4] = bus;
    entry[5] = source;
    entry[6] = ioapic;
    entry[7] = pin;
}

static void close_table(uint8_t *table, size_t bytes)
{
    put16(table + 4, bytes);
    if (bytes > 7)
        put_sum(table, bytes, 7);
}

static void table_end(void)
{
    close_table(image + TABLE, table_bytes);
    put_floating(image + LAST_KIB, TABLE);
    window_load(image, TABLE + table_bytes);
}

static void table_of(unsigned count)
{
    table_begin();
    for (unsigned i = 0; i < count; i++)
        add_cpu((uint8_t)i, i == 0 ? 3 : 1);
    add_bus(0, "PCI   ");
    add_bus(1, "ISA   ");
    add_ioapic(9, 1, 0xfec00000);
    add_interrupt(0, 1, 0, 9, 2);
    add_interrupt(0, 0, 31 << 2, 9, 19);
    add_entry(4);
    table_end();
}

static void build(void)
{
    memset(image, 0, sizeof image);
    table_of(4);
}

TestSuite(mptable, .init = build, .timeout = 120);

static enum status find(void)
{
    memset(&cpus, 0xa5, sizeof cpus);
    const enum status status = mptable_find_cpus(&cpus);
    cpu_list_check(&cpus, status, "MP table");
    return status;
}

Test(mptable, cpus_in_table_order)
{
    static const unsigned counts[] = {1, 2, 64};
    for (size_t i = 0; i < 3; i++) {
        table_of(counts[i]);
        cr_assert(eq(int, find(), STATUS_OK));
        cr_assert(eq(sz, cpus.count, counts[i]));
        for (size_t id = 0; id < counts[i]; id++)
            must(cpus.apic_ids[id] == id);
        cr_assert(eq(u64, cpus.lapic_base, LAPIC));
        cr_assert(eq(sz, cpus.ioapic_count, 1));
        cr_assert(eq(u32, cpus.ioapics[0].id, 9));
        cr_assert(eq(u64, cpus.ioapics[0].address, 0xfec00000));
        cr_assert(eq(sz, cpus.refused, 0));
    }
}

static void overrides_are(size_t count, const struct irq_override *expected)
{
    cr_assert(eq(int, find(), STATUS_OK));
    cr_assert(eq(sz, cpus.override_count, count));
    for (size_t i = 0; i < count; i++) {
        cr_assert(eq(u8, cpus.overrides[i].source, expected[i].source));
        cr_assert(eq(u32, cpus.overrides[i].gsi, expected[i].gsi));
        cr_assert(eq(u16, cpus.overrides[i].flags, expected[i].flags), "line %u", expected[i].gsi);
    }
}

static void interrupts_begin(void)
{
    table_begin();
    add_cpu(0, 3);
    add_bus(3, "PCI   ");
    add_bus(200, "PCI   ");
    add_bus(4, "ISA   ");
    add_ioapic(9, 1, 0xfec00000);
}

Test(mptable, interrupts_that_are_not_as_their_number_says)
{
    static const struct irq_override expected[] = {{0, 0, 2},    {9, 0xd, 9}, {4, 0x5, 4},  {0, 0xf, 11},
                                                   {0, 0xd, 10}, {0, 0x7, 5}, {0, 0x5, 17}, {7, 0, 20}};
    interrupts_begin();
    add_interrupt(0, 4, 1, 9, 1);      /* as usual */
    add_interrupt(0, 4, 0, 9, 2);      /* the timer is elsewhere */
    add_interrupt(0xd, 4, 9, 0xff, 9); /* of every IO-APIC */
    add_interrupt(0x5, 4, 4, 9, 4);    /* says what is usual */
    add_interrupt(0, 3, 8, 9, 16);     /* PCI, as usual */
    add_interrupt(0xf, 3, 9, 9, 23);
    add_interrupt(0, 200, 12, 9, 11); /* PCI on a line of ISA */
    add_interrupt(0x1, 200, 16, 9, 10);
    add_interrupt(0x4, 200, 16, 9, 5);
    add_interrupt(0x5, 3, 20, 9, 17);
    add_interrupt(0, 200, 40, 9, 11); /* again, for another device */
    add_interrupt(0, 4, 7, 9, 20);    /* ISA on a line of PCI */
    table_end();
    overrides_are(sizeof expected / sizeof expected[0], expected);
    cr_assert(eq(sz, cpus.refused, 0));
    static const struct {
        uint32_t gsi;
        bool level, low;
    } lines[] = {{11, true, true},   {10, true, false}, {2, false, false},
                 {20, false, false}, {16, true, true},  {5, false, true}};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        must(cpu_list_is_level(&cpus, lines[i].gsi) == lines[i].level);
        must(cpu_list_is_active_low(&cpus, lines[i].gsi) == lines[i].low);
    }
}

Test(mptable, interrupts_of_other_kinds_and_of_unknown_ioapics)
{
    interrupts_begin();
    for (uint8_t kind = 1; kind < 4; kind++)
        add_interrupt(0xf, 4, 0, 9, 0), image[TABLE + table_bytes - 7] = kind;
    add_interrupt(0xf, 4, 5, 8, 5);
    add_ioapic(8, 1, 0xfec10000); /* its first interrupt is unknown */
    table_end();
    overrides_are(0, NULL);
    cr_assert(eq(sz, cpus.refused, 2));

    table_begin();
    add_cpu(0, 3);
    add_interrupt(0xf, 4, 5, 0xff, 5);
    add_ioapic(9, 0, 0xfec00000);
    table_end();
    overrides_are(0, NULL);
    cr_assert(eq(sz, cpus.ioapic_count, 0));
    cr_assert(eq(sz, cpus.refused, 1));
}

Test(mptable, interrupts_past_the_maximum_are_counted)
{
    interrupts_begin();
    for (unsigned pin = 0; pin < 256; pin++)
        add_interrupt(0x7, 255, 0xff, 9, (uint8_t)pin);
    table_end();
    cr_assert(eq(int, find(), STATUS_OK));
    cr_assert(eq(sz, cpus.override_count, CPU_LIST_OVERRIDES_MAX));
    cr_assert(eq(sz, cpus.refused, 256 - CPU_LIST_OVERRIDES_MAX));
}

Test(mptable, cpus_past_the_maximum_are_counted)
{
    table_of(70);
    cr_assert(eq(int, find(), STATUS_OK));
    cr_assert(eq(sz, cpus.count, CPU_LIST_MAX));
    cr_assert(eq(sz, cpus.refused, 6));
}

Test(mptable, only_enabled_cpus_are_listed_and_each_once)
{
    table_begin();
    add_cpu(0, 3);
    add_cpu(1, 0);
    add_cpu(2, 2);
    add_cpu(0, 1);
    add_cpu(0xff, 1);
    add_cpu(5, 1);
    add_ioapic(1, 0, 0xfec00000);
    add_ioapic(2, 1, 0xfec10000);
    add_ioapic(3, 1, 0xfec20000);
    table_end();
    cr_assert(eq(int, find(), STATUS_OK));
    cr_assert(eq(sz, cpus.count, 2));
    cr_assert(eq(u32, cpus.apic_ids[1], 5));
    cr_assert(eq(sz, cpus.disabled, 2));
    cr_assert(eq(sz, cpus.ioapic_count, 1));
    cr_assert(eq(u32, cpus.ioapics[0].id, 2));
    cr_assert(eq(sz, cpus.refused, 2 + 1));
}

/* Firecracker's stands right behind its pointer, in what its map calls reserved; from some 41 CPUs on it grows over the
 * ACPI tables at 0xa0000, whose checksums then say so. */
Test(mptable, a_table_that_leaves_base_memory)
{
    table_of(47);
    memmove(image + LAST_KIB + 16, image + TABLE, table_bytes); /* they overlap */
    memset(image + LAST_KIB + 16 + table_bytes, 0x55, 64);
    put_floating(image + LAST_KIB, LAST_KIB + 16);
    must(LAST_KIB + 16 + table_bytes > TABLE);
    window_load(image, ROM_END);
    cr_assert(eq(int, find(), STATUS_OK));
    cr_assert(eq(sz, cpus.count, 47));
    cr_assert(eq(sz, cpus.ioapic_count, 1));
    cr_assert(eq(sz, cpus.refused, 0));
}

Test(mptable, the_entry_count_is_not_asked)
{
    static const uint16_t counts[] = {0, 1, 0xffff};
    for (size_t i = 0; i < 3; i++) {
        put16(image + TABLE + 34, counts[i]);
        table_end();
        cr_assert(eq(int, find(), STATUS_OK));
        cr_assert(eq(sz, cpus.count, 4));
    }
}

Test(mptable, an_entry_of_unknown_size_ends_the_walk)
{
    table_begin();
    add_cpu(0, 3);
    add_entry(128)[1] = 0;
    add_cpu(1, 1);
    table_end();
    cr_assert(eq(int, find(), STATUS_OK));
    cr_assert(eq(sz, cpus.count, 1));
    cr_assert(eq(sz, cpus.refused, 1));
}

Test(mptable, a_table_without_cpus_is_no_table)
{
    table_of(0);
    cr_assert(eq(int, find(), STATUS_NOT_FOUND));
    table_begin();
    add_cpu(0, 0);
    table_end();
    cr_assert(eq(int, find(), STATUS_NOT_FOUND));
}

Test(mptable, the_bios_areas_are_searched)
{
    static const struct {
        paddr_t at;
        uint16_t ebda_segment, base_kib;
    } places[] = {
        {0x9fc00, 0, 0},   {0x9fff0, 0x9fc0, 639}, {0x80000, 0x8000, 0}, {0x803f0, 0x8000, 0},
        {0x7fc00, 0, 512}, {0x7fff0, 0x9fc0, 512}, {0xf5ba0, 0, 0},      {0xfffe0, 0xffff, 0xffff},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        memset(image + LAST_KIB, 0, 16);
        window_load(image, ROM_END);
        put16(test_phys + 0x40e, places[i].ebda_segment);
        put16(test_phys + 0x413, places[i].base_kib);
        cr_assert(eq(int, find(), STATUS_NOT_FOUND));
        put_floating(test_phys + places[i].at, TABLE);
        cr_assert(eq(int, find(), STATUS_OK), "%#lx", places[i].at);
        test_phys[places[i].at + 12] ^= 1;
        cr_assert(eq(int, find(), STATUS_NOT_FOUND), "%#lx", places[i].at);
    }
}

Test(mptable, adapter_memory_is_not_touched)
{
    memset(image + LAST_KIB, 0, 16);
    put_floating(image + 0xa8000, TABLE);
    window_load(image, ROM_END);
    put16(test_phys + 0x40e, 0xa800);
    put16(test_phys + 0x413, (0xa8000 >> 10) + 1);
    cr_assert(eq(int, find(), STATUS_NOT_FOUND));
}

Test(mptable, an_unsound_candidate_does_not_hide_a_sound_one)
{
    memcpy(image + 0xb0000, image + TABLE, table_bytes);
    image[0xb0000] = 'Q';
    close_table(image + 0xb0000, table_bytes);
    memcpy(image + 0xb1000, image + TABLE, 44);
    close_table(image + 0xb1000, 43);
    put_floating(image + LAST_KIB, 0xc0000); /* sound itself, but there is no table */
    put_floating(image + LAST_KIB + 64, 0xb0000);
    put_floating(image + LAST_KIB + 80, 0xb1000);
    put_floating(image + LAST_KIB + 16, 0);
    put_floating(image + LAST_KIB + 32, UINT32_MAX);
    put_floating(image + LAST_KIB + 48, TABLE);
    image[LAST_KIB + 48 + 8] = 2; /* two paragraphs long */
    put_sum(image + LAST_KIB + 48, 16, 10);
    window_load(image, ROM_END);
    cr_assert(eq(int, find(), STATUS_NOT_FOUND));
    put_floating(test_phys + 0xf0000, TABLE);
    cr_assert(eq(int, find(), STATUS_OK));
}

Test(mptable, a_bad_lapic_address_gives_way_to_the_usual_one)
{
    put32(image + TABLE + 36, 0xfec00123);
    table_end();
    cr_assert(eq(int, find(), STATUS_OK));
    cr_assert(eq(u64, cpus.lapic_base, LAPIC_BASE_DEFAULT));
    cr_assert(eq(sz, cpus.refused, 1));
}

Test(mptable, table_of_every_length)
{
    table_begin();
    for (uint8_t i = 0; i < 5; i++)
        add_cpu(i, 1);
    for (size_t n = 0; n <= table_bytes; n++) {
        close_table(image + TABLE, n);
        window_load(image, TABLE + n);
        const enum status status = find();
        const size_t whole = n < 44 ? 0 : (n - 44) / 20;
        must(status == (whole ? STATUS_OK : STATUS_NOT_FOUND));
        must(cpus.count == whole);
        must(status != STATUS_OK || cpus.refused == ((n - 44) % 20 != 0));
    }
    close_table(image + TABLE, table_bytes);
    window_load(image, TABLE + table_bytes);
    for (size_t n = 0; n < 44; n++) { /* in reach, but the length lies */
        close_table(test_phys + TABLE, n);
        must(find() == STATUS_NOT_FOUND);
    }
}

Test(mptable, memory_of_every_length)
{
    for (size_t n = TABLE - 32; n < TABLE + table_bytes; n++) {
        window_load(image, n);
        must(find() == STATUS_NOT_FOUND);
    }
    for (size_t n = 0; n < 0x500; n++) {
        window_load(image, n);
        must(find() == STATUS_NOT_FOUND);
    }
}

Test(mptable, no_changed_byte_passes_the_checksum)
{
    for (size_t i = 0; i < 16 + table_bytes; i++) {
        const size_t at = i < 16 ? LAST_KIB + i : TABLE + i - 16;
        if (at == TABLE + 4 || at == TABLE + 5)
            continue; /* another length is another sum, which may be sound by chance */
        for (unsigned flip = 1; flip < 256; flip++) {
            test_phys[at] ^= (uint8_t)flip;
            must(find() == STATUS_NOT_FOUND);
            test_phys[at] = image[at];
        }
    }
}

static void repair(void)
{
    put_sum(test_phys + LAST_KIB, 16, 10);
    const uint16_t bytes = load_le16(test_phys + TABLE + 4);
    if (bytes >= 8 && bytes <= test_phys_bytes - TABLE)
        put_sum(test_phys + TABLE, bytes, 7);
}

static void restore(void)
{
    memcpy(test_phys + LAST_KIB, image + LAST_KIB, 16);
    memcpy(test_phys + TABLE, image + TABLE, table_bytes);
    memset(test_phys + 0x40e, 0, 8);
}

Test(mptable, every_value_of_every_byte_with_sound_checksums)
{
    for (size_t i = 0; i < 16 + table_bytes; i++) {
        const size_t at = i < 16 ? LAST_KIB + i : TABLE + i - 16;
        for (unsigned flip = 1; flip < 256; flip++) {
            test_phys[at] ^= (uint8_t)flip;
            repair();
            (void)find();
            restore();
        }
    }
}

Test(mptable, random_damage)
{
    size_t found = 0;
    for (int i = 0; i < 100000; i++) {
        mutate(test_phys + TABLE, table_bytes);
        if (i & 1)
            mutate(test_phys + LAST_KIB, 16);
        if (i & 2)
            mutate(test_phys + 0x40e, 8);
        repair();
        found += find() == STATUS_OK;
        restore();
    }
    cr_assert(found > 20000, "only %zu of the damaged machines still had CPUs", found);
}
