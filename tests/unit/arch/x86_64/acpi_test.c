/* SPDX-License-Identifier: MIT
 * ACPI tables: CPUs of every kind of MADT entry, both roots, power and timer fields of short and long FADTs, and no
 * damaged length, pointer or entry that leads out of memory or round in a circle. */
#include "tests/unit/arch/x86_64/acpi_image.h"

enum { ROM_BYTES = 0x100000 };

static uint8_t rom[ROM_BYTES];
static struct cpu_list cpus;
static struct acpi_power power;

TestSuite(acpi, .init = build, .timeout = 120);

/* Runs every finder; what each returns is checked as far as it holds for any bytes. */
static enum status find_all(void)
{
    paddr_t hpet = 0;
    uint8_t sleep_type = 0xff;
    (void)acpi_init(&boot);
    memset(&cpus, 0xa5, sizeof cpus);
    const enum status status = acpi_find_cpus(&cpus);
    cpu_list_check(&cpus, status, "MADT");
    if (acpi_find_power(&power) == STATUS_OK)
        must(!power.reset_register.valid || power.reset_register.address != 0);
    must((acpi_find_s5(&sleep_type) == STATUS_OK) == (sleep_type <= 7));
    must((acpi_find_hpet(&hpet) == STATUS_OK) == (hpet != 0));
    return status;
}

Test(acpi, cpus_in_table_order)
{
    static const unsigned counts[] = {1, 2, 64};
    for (size_t i = 0; i < 3; i++) {
        madt_of(counts[i]);
        cr_assert(eq(int, find_all(), STATUS_OK));
        cr_assert(eq(sz, cpus.count, counts[i]));
        for (size_t id = 0; id < counts[i]; id++)
            must(cpus.apic_ids[id] == id);
        cr_assert(eq(sz, cpus.refused, 0));
        cr_assert(eq(u64, cpus.lapic_base, LAPIC_BASE_DEFAULT));
    }
}

Test(acpi, cpus_past_the_maximum_are_counted)
{
    madt_of(70);
    cr_assert(eq(int, find_all(), STATUS_OK));
    cr_assert(eq(sz, cpus.count, CPU_LIST_MAX));
    cr_assert(eq(sz, cpus.refused, 6));
}

Test(acpi, only_enabled_cpus_are_listed)
{
    madt_begin();
    madt_lapic(0, 1);
    madt_lapic(1, 0);
    madt_lapic(2, 2);
    madt_lapic(3, 3);
    madt_lapic(0xff, 0);
    madt_lapic(0xff, 1);
    madt_x2apic(4, 2);
    madt_x2apic(UINT32_MAX, 1);
    madt_end();
    cr_assert(eq(int, find_all(), STATUS_OK));
    cr_assert(eq(sz, cpus.count, 2));
    cr_assert(eq(u32, cpus.apic_ids[1], 3));
    cr_assert(eq(sz, cpus.disabled, 2));
    cr_assert(eq(sz, cpus.online_capable, 2));
    cr_assert(eq(sz, cpus.refused, 2));
}

Test(acpi, a_cpu_listed_in_both_forms_counts_once)
{
    madt_begin();
    madt_lapic(0, 1);
    madt_lapic(7, 1);
    madt_x2apic(7, 1);
    madt_x2apic(255, 1);
    madt_x2apic(0x12345, 1);
    madt_end();
    cr_assert(eq(int, find_all(), STATUS_OK));
    cr_assert(eq(sz, cpus.count, 4));
    cr_assert(eq(u32, cpus.apic_ids[2], 255));
    cr_assert(eq(u32, cpus.apic_ids[3], 0x12345));
    cr_assert(eq(sz, cpus.refused, 1));
}

Test(acpi, interrupt_controllers_and_the_lapic_override)
{
    madt_begin();
    madt_lapic(0, 1);
    for (uint32_t i = 0; i < 10; i++) {
        uint8_t *ioapic = madt_entry(1, 12);
        ioapic[2] = (uint8_t)(i + 1);
        put32(ioapic + 4, 0xfec00000 + (i << 12));
        put32(ioapic + 8, i * 24);
    }
    for (uint32_t i = 0; i < 18; i++) {
        uint8_t *override = madt_entry(2, 10);
        override[3] = (uint8_t)i;
        put32(override + 4, i + 2);
        put16(override + 8, 0xd);
    }
    put64(madt_entry(5, 12) + 4, 0x12fee00000);
    put64(madt_entry(5, 12) + 4, 0xfee00001);
    put64(madt_entry(5, 12) + 4, 0);
    madt_end();
    cr_assert(eq(int, find_all(), STATUS_OK));
    cr_assert(eq(sz, cpus.ioapic_count, CPU_LIST_IOAPICS_MAX));
    cr_assert(eq(u32, cpus.ioapics[1].id, 2));
    cr_assert(eq(u64, cpus.ioapics[1].address, 0xfec01000));
    cr_assert(eq(u32, cpus.ioapics[1].gsi_base, 24));
    cr_assert(eq(sz, cpus.override_count, CPU_LIST_OVERRIDES_MAX));
    cr_assert(eq(u8, cpus.overrides[3].source, 3));
    cr_assert(eq(u32, cpus.overrides[3].gsi, 5));
    cr_assert(eq(u16, cpus.overrides[3].flags, 0xd));
    cr_assert(eq(u64, cpus.lapic_base, 0x12fee00000));
    cr_assert(eq(sz, cpus.refused, 2 + 2 + 2));
}

Test(acpi, an_ioapic_at_address_0_is_refused)
{
    madt_begin();
    madt_lapic(0, 1);
    madt_entry(1, 12);
    madt_end();
    cr_assert(eq(int, find_all(), STATUS_OK));
    cr_assert(eq(sz, cpus.ioapic_count, 0));
    cr_assert(eq(sz, cpus.refused, 1));
}

Test(acpi, entries_of_no_length_end_the_walk)
{
    for (uint8_t length = 0; length < 2; length++) {
        madt_begin();
        madt_lapic(0, 1);
        madt_lapic(1, 1);
        madt_lapic(2, 1);
        image[MADT + 44 + 8 + 1] = length;
        madt_end();
        cr_assert(eq(int, find_all(), STATUS_OK));
        cr_assert(eq(sz, cpus.count, 1));
        cr_assert(eq(sz, cpus.refused, 1));
    }
}

Test(acpi, short_entries_are_skipped_and_unknown_ones_ignored)
{
    madt_begin();
    madt_lapic(0, 1);
    static const uint8_t least[] = {8, 12, 10, [5] = 12, [9] = 16};
    for (uint8_t type = 0; type < sizeof least; type++) {
        if (least[type])
            madt_entry(type, least[type] - 1);
    }
    madt_entry(3, 2);
    madt_entry(200, 40);
    madt_lapic(1, 1);
    madt_end();
    cr_assert(eq(int, find_all(), STATUS_OK));
    cr_assert(eq(sz, cpus.count, 2));
    cr_assert(eq(sz, cpus.refused, 5));
}

Test(acpi, a_madt_without_cpus_is_no_madt)
{
    madt_of(0);
    cr_assert(eq(int, find_all(), STATUS_NOT_FOUND));
    madt_begin();
    madt_lapic(0, 0);
    madt_end();
    cr_assert(eq(int, find_all(), STATUS_NOT_FOUND));
}

/* Of Xen's dom0: its name is whatever lies at address 0, all else is right, and there is no RSDT. */
Test(acpi, a_nameless_xsdt_serves_the_initial_domain_only)
{
    put32(test_phys + RSDP + 16, 0);
    put_sum(test_phys + RSDP, 20, 8);
    put_sum(test_phys + RSDP, RSDP_BYTES_MAX, 32);
    memcpy(test_phys + XSDT, "S\xff\0\xf0", 4);
    close_table(test_phys, XSDT, 60);
    cr_assert(eq(int, acpi_init(&boot), STATUS_NOT_FOUND));
    boot.initial_domain = true;
    cr_assert(eq(int, find_all(), STATUS_OK));
    test_phys[XSDT + 40] ^= 1;
    cr_assert(eq(int, acpi_init(&boot), STATUS_NOT_FOUND));
}

Test(acpi, the_rsdt_serves_where_the_xsdt_does_not)
{
    test_phys[XSDT + 40] ^= 1;
    cr_assert(eq(int, find_all(), STATUS_OK));
    window_load(image, MADT + madt_bytes);
    test_phys[RSDP + 15] = 0; /* revision 0: the bytes after the 20th mean nothing */
    put_sum(test_phys + RSDP, 20, 8);
    memset(test_phys + RSDP + 20, 0xff, 16);
    cr_assert(eq(int, find_all(), STATUS_OK));
    test_phys[RSDT + 40] ^= 1;
    cr_assert(eq(int, acpi_init(&boot), STATUS_NOT_FOUND));
    cr_assert(eq(int, find_all(), STATUS_NOT_FOUND));
}

Test(acpi, an_old_rsdp_has_no_xsdt)
{
    test_phys[RSDP + 15] = 1;
    put_sum(test_phys + RSDP, 20, 8);
    put_sum(test_phys + RSDP, 36, 32);
    cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
    test_phys[RSDT + 40] ^= 1;
    cr_assert(eq(int, acpi_init(&boot), STATUS_NOT_FOUND));
}

Test(acpi, a_copy_of_the_rsdp_needs_no_address)
{
    cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
    boot.rsdp = 0;
    memcpy(boot.rsdp_copy, image + RSDP, 36); /* of no bytes yet */
    cr_assert(eq(int, acpi_init(&boot), STATUS_NOT_FOUND));
    cr_assert(eq(int, find_all(), STATUS_NOT_FOUND), "the root of the time before is forgotten");
    for (size_t bytes = 20; bytes <= 36; bytes += 16) {
        memcpy(boot.rsdp_copy, image + RSDP, bytes);
        boot.rsdp_copy_bytes = bytes;
        cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
        cr_assert(eq(int, find_all(), STATUS_OK));
    }
    boot.rsdp_copy[0] ^= 1;
    cr_assert(eq(int, acpi_init(&boot), STATUS_NOT_FOUND));
    boot.rsdp = RSDP;
    cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
}

Test(acpi, the_bios_areas_are_searched)
{
    static const paddr_t places[] = {0x80000, 0x803f0 - 0x10, 0xe0000, 0xf5ba0, 0xfffd0};
    boot.rsdp = 0;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        memset(rom, 0, ROM_BYTES);
        memcpy(rom, image, MADT + madt_bytes);
        put16(rom + 0x40e, 0x8000);
        memcpy(rom + 0xe8000, image + RSDP, 36);
        rom[0xe8000] = 'X';
        memcpy(rom + places[i], image + RSDP, 36);
        memset(rom + RSDP, 0, 36);
        window_load(rom, ROM_BYTES);
        cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
        cr_assert(eq(int, find_all(), STATUS_OK));
        test_phys[places[i] + 10] ^= 1;
        cr_assert(eq(int, acpi_init(&boot), STATUS_NOT_FOUND));
    }
    memcpy(test_phys + 0xf0008, image + RSDP, 36);
    cr_assert(eq(int, acpi_init(&boot), STATUS_NOT_FOUND), "not 16-byte aligned");
}

Test(acpi, an_unsound_candidate_does_not_hide_a_sound_one)
{
    boot.rsdp = 0;
    memcpy(rom, image, MADT + madt_bytes);
    memset(rom + RSDP, 0, 36);
    memcpy(rom + 0xe0010, image + RSDP, 36);
    rom[0xe0020] ^= 1;
    memcpy(rom + 0xf0000, image + RSDP, 36);
    window_load(rom, ROM_BYTES);
    cr_assert(eq(int, find_all(), STATUS_OK));
}

Test(acpi, a_root_that_points_at_itself)
{
    for (size_t i = 0; i < 3; i++) {
        put32(test_phys + RSDT + 36 + 4 * i, RSDT);
        put64(test_phys + XSDT + 36 + 8 * i, XSDT);
    }
    close_table(test_phys, RSDT, 48);
    close_table(test_phys, XSDT, 60);
    cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
    cr_assert(eq(int, find_all(), STATUS_NOT_FOUND));
    struct acpi_table table;
    cr_assert(eq(int, acpi_find_table("XSDT", &table), STATUS_OK));
}

Test(acpi, a_table_after_an_unsound_one_of_its_name_is_found)
{
    struct acpi_table table = {0};
    memcpy(image + HPET, image + MADT, madt_bytes); /* now two tables are called APIC */
    window_load(image, MADT + madt_bytes);
    test_phys[MADT + 40] ^= 1;
    cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
    cr_assert(eq(int, acpi_find_table("APIC", &table), STATUS_OK));
    cr_assert(table.data == test_phys + HPET);
    test_phys[HPET + 40] ^= 1;
    cr_assert(eq(int, acpi_find_table("APIC", &table), STATUS_DATA_LOSS));
    cr_assert(eq(int, acpi_find_table("NONE", &table), STATUS_NOT_FOUND));
}

Test(acpi, madt_of_every_length)
{
    madt_begin();
    for (uint8_t i = 0; i < 6; i++)
        madt_lapic(i, 1);
    for (size_t n = 0; n <= madt_bytes; n++) {
        close_table(image, MADT, n);
        window_load(image, MADT + n);
        const enum status status = find_all();
        const size_t whole = n < 44 ? 0 : (n - 44) / 8;
        must(status == (n < 36 ? STATUS_NOT_FOUND : n < 44 ? STATUS_DATA_LOSS : whole ? STATUS_OK : STATUS_NOT_FOUND));
        must(cpus.count == whole);
        must(cpus.refused == (status == STATUS_OK && (n - 44) % 8 != 0));
    }
    window_load(image, IMAGE_BYTES);
    for (size_t n = 0; n < 36; n++) { /* in reach, but the length lies */
        close_table(test_phys, MADT, n);
        must(find_all() == STATUS_DATA_LOSS);
        close_table(test_phys, FADT, n);
        must(acpi_find_power(&power) == STATUS_DATA_LOSS);
    }
}

/* One table at a time is cut to every length with a sound checksum, where it is and at the very end of memory. */
static void cut_table(size_t at, size_t bytes, size_t *pointers, size_t pointer_count)
{
    static uint8_t cut[IMAGE_BYTES + 0x200];
    for (size_t n = 0; n <= bytes; n++) {
        memcpy(cut, image, IMAGE_BYTES);
        close_table(cut, at, n);
        window_load(cut, IMAGE_BYTES);
        (void)find_all();
        memcpy(cut, image, IMAGE_BYTES);
        memcpy(cut + IMAGE_BYTES, image + at, n);
        if (n >= 36)
            close_table(cut, IMAGE_BYTES, n);
        for (size_t i = 0; i < pointer_count; i++)
            put32(cut + pointers[i], IMAGE_BYTES);
        close_table(cut, RSDT, 48);
        close_table(cut, XSDT, 60);
        close_table(cut, FADT, 276);
        put_sum(cut + RSDP, 20, 8);
        put_sum(cut + RSDP, 36, 32);
        window_load(cut, IMAGE_BYTES + n);
        (void)find_all();
        must(n < bytes || acpi_find_power(&power) == STATUS_OK);
    }
}

Test(acpi, every_table_of_every_length)
{
    cut_table(RSDT, 48, (size_t[]){RSDP + 16}, 1);
    cut_table(XSDT, 60, (size_t[]){RSDP + 24}, 1);
    cut_table(FADT, 276, (size_t[]){RSDT + 36, XSDT + 36}, 2);
    cut_table(HPET, 56, (size_t[]){RSDT + 44, XSDT + 44 + 8}, 2);
    cut_table(DSDT, 53, (size_t[]){FADT + 40, FADT + 140}, 2);
}

Test(acpi, memory_of_every_length)
{
    for (size_t n = 0; n < MADT + madt_bytes; n++) {
        window_load(image, n);
        must(find_all() != STATUS_OK);
    }
}

Test(acpi, no_changed_byte_passes_the_checksum)
{
    must(acpi_init(&boot) == STATUS_OK);
    for (size_t at = MADT; at < MADT + madt_bytes; at++) {
        if (at >= MADT + 4 && at < MADT + 8)
            continue; /* another length is another sum, which may be sound by chance */
        for (unsigned flip = 1; flip < 256; flip++) {
            test_phys[at] ^= (uint8_t)flip;
            must(find_all() != STATUS_OK);
            test_phys[at] = image[at];
        }
    }
    for (size_t at = RSDP; at < RSDP + 20; at++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            test_phys[at] ^= (uint8_t)flip;
            must(acpi_init(&boot) == STATUS_NOT_FOUND);
            test_phys[at] = image[at];
        }
    }
}

/* Checksums are made good again wherever the length allows, so that damage gets past them. */
static void repair(void)
{
    static const size_t tables[] = {RSDT, XSDT, FADT, HPET, DSDT, MADT};
    put_sum(test_phys + RSDP, 20, 8);
    put_sum(test_phys + RSDP, 36, 32);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const uint32_t bytes = load_le32(test_phys + tables[i] + 4);
        if (bytes >= 10 && bytes <= test_phys_bytes - tables[i])
            put_sum(test_phys + tables[i], bytes, 9);
    }
}

Test(acpi, every_value_of_every_byte_with_sound_checksums)
{
    static const struct {
        size_t at, bytes;
    } spans[] = {{RSDP, 36}, {RSDT, 48}, {XSDT, 60}, {FADT, 276}, {HPET, 56}, {DSDT, 53}, {MADT, 44 + 4 * 8}};
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        for (size_t at = spans[i].at; at < spans[i].at + spans[i].bytes; at++) {
            for (unsigned flip = 1; flip < 256; flip++) {
                test_phys[at] ^= (uint8_t)flip;
                repair();
                (void)find_all();
                memcpy(test_phys, image, test_phys_bytes);
            }
        }
    }
}

Test(acpi, random_damage)
{
    madt_begin();
    for (uint8_t i = 0; i < 20; i++)
        madt_lapic(i, 1);
    madt_x2apic(300, 1);
    madt_entry(1, 12);
    madt_entry(2, 10);
    madt_entry(5, 12);
    madt_end();
    size_t found = 0;
    for (int i = 0; i < 100000; i++) {
        const size_t from = i & 1 ? MADT : RSDP;
        mutate(test_phys + from, test_phys_bytes - from);
        if (i & 2)
            mutate(test_phys + 0x40e, 7);
        repair();
        found += find_all() == STATUS_OK;
        memcpy(test_phys, image, test_phys_bytes);
    }
    cr_assert(found > 20000, "only %zu of the damaged machines still had CPUs", found);
}
