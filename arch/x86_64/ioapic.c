/* SPDX-License-Identifier: MIT
 * 82093AA and its descendants: 64-bit redirection entries behind an index and a data register. Nothing is cached: a
 * mask is a read and a write of the entry's lower half. */
#include "arch/x86_64/ioapic.h"

#include "sys/lib/absent.h"
#include "sys/lib/log.h"
#include "sys/lib/panic.h"

#include <arch/io.h>
#include <arch/memory.h>
#include <stddef.h>

enum {
    REGISTER_INDEX = 0x00,
    REGISTER_DATA = 0x10,
    REGISTERS_BYTES = 0x20,
    PLACE_ALIGN = 0x100, /* 0xfec0xy00 */

    INDEX_VERSION = 1, /* bits 16 to 23: index of the last entry */
    INDEX_ENTRIES = 0x10,
    PINS_MAX = 240,
    APIC_ID_MAX = 254, /* eight bits, of which all ones are everybody */
};

#define ENTRY_ACTIVE_LOW (1u << 13)
#define ENTRY_LEVEL (1u << 15)
#define ENTRY_MASKED (1u << 16)
#define ENTRY_TARGET_SHIFT 24

struct ioapic {
    void *registers;
    uint32_t first, pins; /* lines [first, first + pins) */
};

static struct ioapic ioapics[CPU_LIST_IOAPICS_MAX]; /* [I] */
static size_t count;                                /* [I] */
static const struct cpu_list *lines;                /* [I] */

static uint32_t read(const struct ioapic *io, uint32_t index)
{
    mmio_write32(io->registers, REGISTER_INDEX, index);
    return mmio_read32(io->registers, REGISTER_DATA);
}

static void write(const struct ioapic *io, uint32_t index, uint32_t value)
{
    mmio_write32(io->registers, REGISTER_INDEX, index);
    mmio_write32(io->registers, REGISTER_DATA, value);
}

/* Index of the lower half of a line's entry. */
static uint32_t entry_index(const struct ioapic *io, uint32_t gsi)
{
    return INDEX_ENTRIES + 2 * (gsi - io->first);
}

static const struct ioapic *find(uint32_t gsi)
{
    for (size_t i = 0; i < count; i++)
        if (gsi - ioapics[i].first < ioapics[i].pins)
            return &ioapics[i];
    return NULL;
}

/* Why the IO-APIC cannot be used, or NULL. */
static const char *judge(const struct ioapic_info *info, struct ioapic *io)
{
    if (info->address % PLACE_ALIGN || !(io->registers = mmio_map(info->address, REGISTERS_BYTES)))
        return "no IO-APIC can be there";
    const uint32_t version = read(io, INDEX_VERSION);
    io->first = info->gsi_base;
    io->pins = (version >> 16 & 0xff) + 1;
    if (version == UINT32_MAX || io->pins > PINS_MAX || io->first > UINT32_MAX - io->pins)
        return "it does not answer like one";
    for (size_t i = 0; i < count; i++)
        if (io->first < ioapics[i].first + ioapics[i].pins && ioapics[i].first < io->first + io->pins)
            return "another one has its lines";
    return NULL;
}

static void mask_all(const struct ioapic *io)
{
    for (uint32_t pin = 0; pin < io->pins; pin++)
        write(io, INDEX_ENTRIES + 2 * pin, ENTRY_MASKED);
}

void ioapic_init(const struct cpu_list *list)
{
    lines = list;
    count = 0;
    for (size_t i = 0; i < list->ioapic_count; i++) {
        const struct ioapic_info *info = &list->ioapics[i];
        struct ioapic *io = &ioapics[count];
        const char *why = judge(info, io);
        if (why) {
            log_warn("IO-APIC %u at %#lx is left out: %s", info->id, info->address, why);
            continue;
        }
        mask_all(io);
        count++;
        log_info("IO-APIC %u at %#lx: interrupts %u to %u", info->id, info->address, io->first,
                 io->first + io->pins - 1);
    }
    if (!count)
        absent_note("IO-APIC");
}

bool ioapic_has(uint32_t gsi)
{
    return find(gsi);
}

bool ioapic_is_level(uint32_t gsi)
{
    return cpu_list_is_level(lines, gsi);
}

enum status ioapic_route(uint32_t gsi, uint8_t vector, uint32_t apic_id)
{
    const struct ioapic *io = find(gsi);
    if (!io)
        return STATUS_NOT_FOUND;
    if (apic_id > APIC_ID_MAX)
        return STATUS_OUT_OF_RANGE;
    /* Masked first: the halves are written one after the other. */
    write(io, entry_index(io, gsi), ENTRY_MASKED);
    write(io, entry_index(io, gsi) + 1, apic_id << ENTRY_TARGET_SHIFT);
    write(io, entry_index(io, gsi),
          vector | ENTRY_MASKED | (cpu_list_is_level(lines, gsi) ? ENTRY_LEVEL : 0) |
              (cpu_list_is_active_low(lines, gsi) ? ENTRY_ACTIVE_LOW : 0));
    return STATUS_OK;
}

static void change(uint32_t gsi, uint32_t clear, uint32_t set)
{
    const struct ioapic *io = find(gsi);
    panic_if(!io);
    const uint32_t index = entry_index(io, gsi);
    write(io, index, (read(io, index) & ~clear) | set);
}

void ioapic_mask(uint32_t gsi)
{
    change(gsi, 0, ENTRY_MASKED);
}

void ioapic_unmask(uint32_t gsi)
{
    change(gsi, ENTRY_MASKED, 0);
}
