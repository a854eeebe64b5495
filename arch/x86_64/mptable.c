/* SPDX-License-Identifier: MIT
 * Walks the MP configuration table by the sizes of its entries. The length in its header rules, not its entry count: a
 * Firecracker release wrote a count of 0. Neither lies in memory that the map calls usable, so the map is not asked.
 * Absent: default configurations without a table, buses, interrupt routing, the extended table. */
#include "arch/x86_64/mptable.h"

#include "arch/x86_64/boot_table.h"

enum {
    FLOATING_BYTES = 16,
    FLOATING_TABLE = 4,
    FLOATING_PARAGRAPHS = 8, /* its own length in 16-byte units: always 1 */

    TABLE_HEADER_BYTES = 44,
    TABLE_LENGTH = 4,
    TABLE_LAPIC = 36,

    ENTRY_CPU = 0,
    ENTRY_IOAPIC = 2,
    ENTRY_TYPE_LAST = 4, /* 1 bus, 3 and 4 interrupt routing */
    ENTRY_BYTES = 8,
    ENTRY_CPU_BYTES = 20,
    ENTRY_APIC_ID = 1,
    ENTRY_FLAGS = 3,
    ENTRY_ENABLED = 1, /* flag bit 0 of CPUs and IO-APICs */
    ENTRY_IOAPIC_ADDRESS = 4,
    XAPIC_ID_NONE = 0xff,
};

/* The configuration table that the floating structure at `at` leads to, its length in *bytes; NULL if either is
 * unsound. */
static const uint8_t *table_at(paddr_t at, uint16_t *bytes)
{
    const uint8_t *floating = boot_table_at(at, FLOATING_BYTES);
    if (!floating || floating[FLOATING_PARAGRAPHS] != 1 || boot_table_sum(floating, FLOATING_BYTES) != 0)
        return NULL;
    const paddr_t table = load_le32(floating + FLOATING_TABLE);
    const uint8_t *header = boot_table_at(table, TABLE_HEADER_BYTES);
    if (!header || memcmp(header, "PCMP", 4) != 0)
        return NULL;
    *bytes = load_le16(header + TABLE_LENGTH);
    if (*bytes < TABLE_HEADER_BYTES || !boot_table_at(table, *bytes) || boot_table_sum(header, *bytes) != 0)
        return NULL;
    return header;
}

static paddr_t floating_found;

static bool floating_accept(paddr_t at)
{
    uint16_t bytes;
    floating_found = at;
    return table_at(at, &bytes) != NULL;
}

static void cpu_decode(const uint8_t *entry, struct cpu_list *out)
{
    const uint8_t id = entry[ENTRY_APIC_ID];
    if (entry[ENTRY_FLAGS] & ENTRY_ENABLED)
        cpu_list_add(out, id == XAPIC_ID_NONE ? APIC_ID_NONE : id);
    else
        out->disabled++;
}

static void ioapic_decode(const uint8_t *entry, struct cpu_list *out)
{
    if (!(entry[ENTRY_FLAGS] & ENTRY_ENABLED))
        return;
    if (out->ioapic_count) { /* the table does not tell where the interrupts of a second one begin */
        out->refused++;
        return;
    }
    cpu_list_add_ioapic(
        out, (struct ioapic_info){.id = entry[ENTRY_APIC_ID], .address = load_le32(entry + ENTRY_IOAPIC_ADDRESS)});
}

enum status mptable_find_cpus(struct cpu_list *out)
{
    uint16_t bytes = 0;
    const uint8_t *table = boot_table_find("_MP_", floating_accept) ? table_at(floating_found, &bytes) : NULL;
    cpu_list_init(out, "none");
    if (!table)
        return STATUS_NOT_FOUND;

    cpu_list_init(out, "MP table");
    cpu_list_set_lapic(out, load_le32(table + TABLE_LAPIC));
    size_t i = TABLE_HEADER_BYTES;
    while (i < bytes) {
        const uint8_t type = table[i];
        const size_t size = type == ENTRY_CPU ? ENTRY_CPU_BYTES : ENTRY_BYTES;
        if (type > ENTRY_TYPE_LAST || size > bytes - i) {
            out->refused++; /* of unknown size, or cut short: nothing after it can be trusted */
            break;
        }
        if (type == ENTRY_CPU)
            cpu_decode(table + i, out);
        else if (type == ENTRY_IOAPIC)
            ioapic_decode(table + i, out);
        i += size;
    }
    if (out->count == 0) {
        cpu_list_init(out, "none");
        return STATUS_NOT_FOUND;
    }
    return STATUS_OK;
}
