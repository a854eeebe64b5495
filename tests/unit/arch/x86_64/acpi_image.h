/* SPDX-License-Identifier: MIT
 * A machine with sound ACPI tables for both halves of the ACPI tests, and ways to damage them with sound checksums. */
#pragma once
#include "tests/unit/arch/x86_64/cpu_list_check.h"

#include "arch/x86_64/acpi.h"

/* Where the tables start; each has room up to the next. The MADT is last, so that it can end where memory ends. */
enum {
    RSDP = 0x500,
    RSDT = 0x600,
    XSDT = 0x700,
    FADT = 0x800,
    HPET = 0xa00,
    DSDT = 0xb00,
    MADT = 0xc00,
    IMAGE_BYTES = 0x1400,
    HPET_BASE = 0xfed00000,
};

static uint8_t image[IMAGE_BYTES];
static struct boot_info boot;
static size_t madt_bytes;

static inline void close_table(uint8_t *memory, size_t at, size_t bytes)
{
    put32(memory + at + 4, bytes);
    if (bytes > 9)
        put_sum(memory + at, bytes, 9);
}

static inline void begin_table(size_t at, const char *signature, size_t bytes)
{
    memset(image + at, 0, bytes);
    memcpy(image + at, signature, 4);
    image[at + 8] = 1;
    close_table(image, at, bytes);
}

static inline void put_register(uint8_t *to, uint8_t space, uint64_t address)
{
    to[0] = space;
    put64(to + 4, address);
}

static inline void madt_begin(void)
{
    begin_table(MADT, "APIC", 44);
    put32(image + MADT + 36, LAPIC_BASE_DEFAULT);
    madt_bytes = 44;
}

static inline uint8_t *madt_entry(uint8_t type, uint8_t bytes)
{
    uint8_t *entry = image + MADT + madt_bytes;
    memset(entry, 0, bytes);
    entry[0] = type;
    entry[1] = bytes;
    madt_bytes += bytes;
    must(MADT + madt_bytes <= IMAGE_BYTES);
    return entry;
}

static inline void madt_lapic(uint8_t id, uint32_t flags)
{
    uint8_t *entry = madt_entry(0, 8);
    entry[3] = id;
    put32(entry + 4, flags);
}

static inline void madt_x2apic(uint32_t id, uint32_t flags)
{
    uint8_t *entry = madt_entry(9, 16);
    put32(entry + 4, id);
    put32(entry + 8, flags);
}

/* Memory ends with the MADT. */
static inline void madt_end(void)
{
    close_table(image, MADT, madt_bytes);
    window_load(image, MADT + madt_bytes);
}

static inline void madt_of(unsigned count)
{
    madt_begin();
    for (unsigned i = 0; i < count; i++)
        madt_lapic((uint8_t)i, 1);
    madt_end();
}

static inline void build_fadt(void)
{
    begin_table(FADT, "FACP", 276);
    put32(image + FADT + 40, DSDT);
    put32(image + FADT + 48, 0xb2);
    image[FADT + 52] = 0xf1;
    put32(image + FADT + 64, 0x604);
    put32(image + FADT + 76, 0x608);
    image[FADT + 91] = 4;
    put32(image + FADT + 112, 1 << 10 | 1 << 8);
    put_register(image + FADT + 116, 1, 0xcf9);
    image[FADT + 128] = 0x0f;
    put64(image + FADT + 140, DSDT);
    put_register(image + FADT + 172, 1, 0x604);
    put_register(image + FADT + 208, 1, 0x608);
    close_table(image, FADT, 276);
}

static inline void build_dsdt(const void *aml, uint8_t bytes)
{
    begin_table(DSDT, "DSDT", 36 + bytes);
    memcpy(image + DSDT + 36, aml, bytes);
    close_table(image, DSDT, 36 + bytes);
}

static inline void build(void)
{
    memcpy(image + RSDP, "RSD PTR ", 8);
    image[RSDP + 15] = 2;
    put32(image + RSDP + 16, RSDT);
    put32(image + RSDP + 20, 36);
    put64(image + RSDP + 24, XSDT);
    put_sum(image + RSDP, 20, 8);
    put_sum(image + RSDP, 36, 32);

    static const uint32_t tables[] = {FADT, MADT, HPET};
    begin_table(RSDT, "RSDT", 36 + 3 * 4);
    begin_table(XSDT, "XSDT", 36 + 3 * 8);
    for (size_t i = 0; i < 3; i++) {
        put32(image + RSDT + 36 + 4 * i, tables[i]);
        put64(image + XSDT + 36 + 8 * i, tables[i]);
    }
    close_table(image, RSDT, 36 + 3 * 4);
    close_table(image, XSDT, 36 + 3 * 8);

    build_fadt();
    begin_table(HPET, "HPET", 56);
    put_register(image + HPET + 40, 0, HPET_BASE);
    close_table(image, HPET, 56);
    build_dsdt("\x10\x05_SB_\x08_S5_\x12\x06\x04\x0a\x05\x00\x00\x00", 17);
    boot.rsdp = RSDP;
    madt_of(4);
}
