/* SPDX-License-Identifier: MIT
 * Finds ACPI tables and decodes the MADT. Every table is checked for reach, length and checksum each time it is opened,
 * and no pointer inside a table is followed more than one level, so a root that points at itself ends like any other
 * table of the wrong name. FADT, HPET and DSDT are in acpi_power.c. */
#include "arch/x86_64/acpi.h"

#include "arch/x86_64/acpi_internal.h"
#include "arch/x86_64/boot_table.h"

enum {
    TABLE_BYTES_MAX = 1 << 20,
    TABLE_LENGTH = 4,

    RSDP_V1_BYTES = 20,
    RSDP_REVISION = 15,
    RSDP_RSDT = 16,
    RSDP_LENGTH = 20,
    RSDP_XSDT = 24,

    MADT_LAPIC_BASE = 36,
    MADT_ENTRIES = 44,
    MADT_LAPIC = 0,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
    MADT_LAPIC_ADDRESS = 5,
    MADT_X2APIC = 9,
    MADT_TYPES = 10,
    MADT_ENABLED = 1 << 0,
    MADT_ONLINE_CAPABLE = 1 << 1,
    XAPIC_ID_NONE = 0xff,
};

/* The root table, checked; entry_bytes 8 for an XSDT, 4 for an RSDT, 0 for none. */
static struct {
    struct acpi_table table;
    uint32_t entry_bytes;
} root;

enum status acpi_table_open(paddr_t at, const char *signature, struct acpi_table *out)
{
    const uint8_t *header = boot_table_at(at, ACPI_HEADER_BYTES);
    if (!header || (signature && memcmp(header, signature, 4) != 0))
        return STATUS_NOT_FOUND;
    const uint32_t bytes = load_le32(header + TABLE_LENGTH);
    if (bytes < ACPI_HEADER_BYTES || bytes > TABLE_BYTES_MAX || !boot_table_at(at, bytes))
        return STATUS_DATA_LOSS;
    if (boot_table_sum(header, bytes) != 0)
        return STATUS_DATA_LOSS;
    *out = (struct acpi_table){.data = header, .bytes = bytes};
    return STATUS_OK;
}

static bool root_open(paddr_t at, const char *signature, uint32_t entry_bytes)
{
    if (acpi_table_open(at, signature, &root.table) != STATUS_OK)
        return false;
    root.entry_bytes = entry_bytes;
    return true;
}

/* dom0's XSDT is made by Xen, which takes its head from the machine's. On a machine whose RSDP is of the first version
 * there is none, and Xen 4.17 takes what lies at address 0; length, checksum and entries are right. */
static bool accept_nameless;

static bool rsdp_decode(const uint8_t *rsdp, size_t bytes)
{
    if (bytes < RSDP_V1_BYTES || memcmp(rsdp, "RSD PTR ", 8) != 0 || boot_table_sum(rsdp, RSDP_V1_BYTES) != 0)
        return false;
    if (bytes >= RSDP_BYTES_MAX && rsdp[RSDP_REVISION] >= 2 && load_le32(rsdp + RSDP_LENGTH) == RSDP_BYTES_MAX &&
        boot_table_sum(rsdp, RSDP_BYTES_MAX) == 0 &&
        (root_open(load_le64(rsdp + RSDP_XSDT), "XSDT", 8) ||
         (accept_nameless && root_open(load_le64(rsdp + RSDP_XSDT), NULL, 8))))
        return true;
    return root_open(load_le32(rsdp + RSDP_RSDT), "RSDT", 4);
}

static bool rsdp_accept(paddr_t at)
{
    const size_t bytes = boot_table_at(at, RSDP_BYTES_MAX) ? RSDP_BYTES_MAX : RSDP_V1_BYTES;
    const uint8_t *rsdp = boot_table_at(at, bytes);
    return rsdp && rsdp_decode(rsdp, bytes);
}

enum status acpi_init(const struct boot_info *boot)
{
    root.entry_bytes = 0;
    accept_nameless = boot->initial_domain;
    if (rsdp_decode(boot->rsdp_copy, boot->rsdp_copy_bytes) || rsdp_accept(boot->rsdp) ||
        boot_table_find("RSD PTR ", rsdp_accept))
        return STATUS_OK;
    return STATUS_NOT_FOUND;
}

enum status acpi_find_table(const char *signature, struct acpi_table *out)
{
    enum status result = STATUS_NOT_FOUND;
    const uint32_t step = root.entry_bytes;
    if (step == 0)
        return result;
    for (uint32_t i = ACPI_HEADER_BYTES; i + step <= root.table.bytes; i += step) {
        const uint8_t *entry = root.table.data + i;
        const enum status status = acpi_table_open(step == 8 ? load_le64(entry) : load_le32(entry), signature, out);
        if (status == STATUS_OK)
            return status;
        if (status != STATUS_NOT_FOUND)
            result = status;
    }
    return result;
}

static void madt_cpu(uint32_t apic_id, uint32_t flags, struct cpu_list *out)
{
    if (flags & MADT_ENABLED)
        cpu_list_add(out, apic_id);
    else if (flags & MADT_ONLINE_CAPABLE)
        out->online_capable++;
    else
        out->disabled++;
}

static void madt_decode(const uint8_t *entry, struct cpu_list *out)
{
    switch (entry[0]) {
    case MADT_LAPIC:
        madt_cpu(entry[3] == XAPIC_ID_NONE ? APIC_ID_NONE : entry[3], load_le32(entry + 4), out);
        break;
    case MADT_X2APIC:
        madt_cpu(load_le32(entry + 4), load_le32(entry + 8), out);
        break;
    case MADT_LAPIC_ADDRESS:
        cpu_list_set_lapic(out, load_le64(entry + 4));
        break;
    case MADT_IOAPIC:
        cpu_list_add_ioapic(
            out,
            (struct ioapic_info){.id = entry[2], .address = load_le32(entry + 4), .gsi_base = load_le32(entry + 8)});
        break;
    case MADT_OVERRIDE:
        cpu_list_add_override(
            out, (struct irq_override){.source = entry[3], .gsi = load_le32(entry + 4), .flags = load_le16(entry + 8)});
        break;
    default:
        break;
    }
}

static void madt_walk(const struct acpi_table *madt, struct cpu_list *out)
{
    /* Least lengths of the types that are read; an entry of another type needs only its own two-byte head. */
    static const uint8_t least_bytes[MADT_TYPES] = {
        [MADT_LAPIC] = 8, [MADT_IOAPIC] = 12, [MADT_OVERRIDE] = 10, [MADT_LAPIC_ADDRESS] = 12, [MADT_X2APIC] = 16};
    uint32_t i = MADT_ENTRIES;
    while (i < madt->bytes) {
        const uint8_t *entry = madt->data + i;
        const uint32_t left = madt->bytes - i;
        if (left < 2 || entry[1] < 2 || entry[1] > left) {
            out->refused++; /* where the next entry begins is unknown */
            return;
        }
        if (entry[0] < MADT_TYPES && entry[1] < least_bytes[entry[0]])
            out->refused++;
        else
            madt_decode(entry, out);
        i += entry[1];
    }
}

enum status acpi_find_cpus(struct cpu_list *out)
{
    struct acpi_table madt;
    cpu_list_init(out, "none");
    const enum status status = acpi_find_table("APIC", &madt);
    if (status != STATUS_OK)
        return status;
    if (madt.bytes < MADT_ENTRIES)
        return STATUS_DATA_LOSS;

    cpu_list_init(out, "MADT");
    cpu_list_set_lapic(out, load_le32(madt.data + MADT_LAPIC_BASE));
    madt_walk(&madt, out);
    if (out->count == 0) {
        cpu_list_init(out, "none");
        return STATUS_NOT_FOUND;
    }
    return STATUS_OK;
}
