/* SPDX-License-Identifier: MIT
 * Walks the MP configuration table by the sizes of its entries. The length in its header rules, not its entry count: a
 * Firecracker release wrote a count of 0. Neither lies in memory that the map calls usable, so the map is not asked.
 * Of buses only their kind is kept, of interrupts what is not as the line's number says by itself. Absent: default
 * configurations without a table, local interrupts, the extended table. */
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
    ENTRY_BUS = 1,
    ENTRY_IOAPIC = 2,
    ENTRY_INTERRUPT = 3,
    ENTRY_TYPE_LAST = 4, /* local interrupts */
    ENTRY_BYTES = 8,
    ENTRY_CPU_BYTES = 20,
    ENTRY_APIC_ID = 1,
    ENTRY_FLAGS = 3,
    ENTRY_ENABLED = 1, /* flag bit 0 of CPUs and IO-APICs */
    ENTRY_IOAPIC_ADDRESS = 4,
    ENTRY_BUS_NAME = 2,
    ENTRY_KIND = 1, /* of an interrupt: 0, or 1 to 3 for NMI, SMI, 8259 */
    ENTRY_INTERRUPT_FLAGS = 2,
    ENTRY_SOURCE_BUS = 4,
    ENTRY_SOURCE = 5, /* ISA interrupt; on PCI device << 2 | pin */
    ENTRY_TARGET = 6, /* IO-APIC, */
    ENTRY_TARGET_PIN = 7,
    TARGET_ALL = 0xff,
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

/* Bits of the buses that are PCI; in a sound table they come before the interrupts. */
struct pci_buses {
    uint64_t words[4];
};

static void bus_decode(const uint8_t *entry, struct pci_buses *pci)
{
    if (memcmp(entry + ENTRY_BUS_NAME, "PCI", 3) == 0)
        pci->words[entry[1] / 64] |= UINT64_C(1) << entry[1] % 64;
}

static bool is_known(const struct cpu_list *list, const struct irq_override *o)
{
    for (size_t i = 0; i < list->override_count; i++)
        if (list->overrides[i].gsi == o->gsi && list->overrides[i].flags == o->flags)
            return true;
    return false;
}

/* The table has a line for each device, so most say what is known: by the number of the pin, or since the line before.
 */
static void interrupt_decode(const uint8_t *entry, const struct pci_buses *pci, struct cpu_list *out)
{
    const uint8_t bus = entry[ENTRY_SOURCE_BUS], target = entry[ENTRY_TARGET];
    struct irq_override o = {.source = entry[ENTRY_SOURCE],
                             .flags = load_le16(entry + ENTRY_INTERRUPT_FLAGS) & (IRQ_POLARITY | IRQ_TRIGGER),
                             .gsi = entry[ENTRY_TARGET_PIN]};
    if (entry[ENTRY_KIND] != 0)
        return;
    if (!out->ioapic_count || (target != TARGET_ALL && target != out->ioapics[0].id)) {
        out->refused++;
        return;
    }
    if (pci->words[bus / 64] >> bus % 64 & 1) {
        o.source = 0; /* no ISA interrupt */
        o.flags |= (o.flags & IRQ_POLARITY ? 0 : IRQ_ACTIVE_LOW) | (o.flags & IRQ_TRIGGER ? 0 : IRQ_LEVEL);
        if (o.gsi >= ISA_IRQS && o.flags == (IRQ_ACTIVE_LOW | IRQ_LEVEL))
            return;
    } else if (o.gsi < ISA_IRQS && o.gsi == o.source && !o.flags) {
        return;
    }
    if (!is_known(out, &o))
        cpu_list_add_override(out, o);
}

/* One entry. */
static void entry_decode(const uint8_t *entry, struct pci_buses *pci, struct cpu_list *out)
{
    switch (entry[0]) {
    case ENTRY_CPU:
        cpu_decode(entry, out);
        break;
    case ENTRY_BUS:
        bus_decode(entry, pci);
        break;
    case ENTRY_IOAPIC:
        ioapic_decode(entry, out);
        break;
    case ENTRY_INTERRUPT:
        interrupt_decode(entry, pci, out);
        break;
    default:
        break;
    }
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
    struct pci_buses pci = {.words = {0}};
    size_t i = TABLE_HEADER_BYTES;
    while (i < bytes) {
        const uint8_t type = table[i];
        const size_t size = type == ENTRY_CPU ? ENTRY_CPU_BYTES : ENTRY_BYTES;
        if (type > ENTRY_TYPE_LAST || size > bytes - i) {
            out->refused++; /* of unknown size, or cut short: nothing after it can be trusted */
            break;
        }
        entry_decode(table + i, &pci, out);
        i += size;
    }
    if (out->count == 0) {
        cpu_list_init(out, "none");
        return STATUS_NOT_FOUND;
    }
    return STATUS_OK;
}
