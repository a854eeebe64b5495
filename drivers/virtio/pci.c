/* SPDX-License-Identifier: MIT
 * PCI configuration access and bus walk. Only 32-bit accesses are made: every emulation has them, and the upper half of
 * the command word is write-1-to-clear, so writing zeros there changes nothing. */
#include "drivers/virtio/pci.h"

#include <arch/io.h>
#include <linux/pci_regs.h>

#define ADDRESS_PORT 0xcf8
#define DATA_PORT 0xcfc
#define ADDRESS_ENABLE 0x80000000u

bool pci_present(void)
{
    io_out32(ADDRESS_PORT, ADDRESS_ENABLE);
    return io_in32(ADDRESS_PORT) == ADDRESS_ENABLE;
}

static void select_register(struct pci_function f, uint32_t offset)
{
    uint32_t place = (uint32_t)f.bus << 16 | (f.device & 31u) << 11 | (f.function & 7u) << 8;
    io_out32(ADDRESS_PORT, ADDRESS_ENABLE | place | (offset & 0xfcu));
}

uint32_t pci_read32(struct pci_function f, uint32_t offset)
{
    select_register(f, offset);
    return io_in32(DATA_PORT);
}

void pci_write32(struct pci_function f, uint32_t offset, uint32_t value)
{
    select_register(f, offset);
    io_out32(DATA_PORT, value);
}

uint16_t pci_read16(struct pci_function f, uint32_t offset)
{
    return (uint16_t)(pci_read32(f, offset) >> (offset & 2) * 8);
}

uint8_t pci_read8(struct pci_function f, uint32_t offset)
{
    return (uint8_t)(pci_read32(f, offset) >> (offset & 3) * 8);
}

/* Buses known to exist. They are visited in one ascending pass, which ends whatever the bridges claim. */
struct bus_set {
    uint64_t words[4];
};

static bool bus_set_has(const struct bus_set *set, unsigned bus)
{
    return set->words[bus / 64] >> bus % 64 & 1;
}

static void bus_set_add_behind(struct bus_set *set, struct pci_function bridge)
{
    uint8_t secondary = pci_read8(bridge, PCI_SECONDARY_BUS);
    set->words[secondary / 64] |= UINT64_C(1) << secondary % 64;
}

/* Visits the functions of one device; true as soon as the visitor is content. */
static bool device_visit(struct pci_function f, struct bus_set *buses, bool (*visit)(struct pci_function, void *),
                         void *context)
{
    unsigned functions = 1;
    for (unsigned n = 0; n < functions; n++) {
        f.function = (uint8_t)n;
        if (pci_read16(f, PCI_VENDOR_ID) == 0xffff)
            continue;
        uint8_t type = pci_read8(f, PCI_HEADER_TYPE);
        if (n == 0 && type & 0x80)
            functions = 8;
        if ((type & 0x7f) == PCI_HEADER_TYPE_BRIDGE)
            bus_set_add_behind(buses, f);
        if (visit(f, context))
            return true;
    }
    return false;
}

void pci_visit(bool (*visit)(struct pci_function f, void *context), void *context)
{
    struct bus_set buses = {.words = {1}};
    for (unsigned bus = 0; bus < 256; bus++) {
        if (!bus_set_has(&buses, bus))
            continue;
        for (unsigned device = 0; device < 32; device++) {
            struct pci_function f = {.bus = (uint8_t)bus, .device = (uint8_t)device};
            if (device_visit(f, &buses, visit, context))
                return;
        }
    }
}

/* The writable address bits of a BAR, as the device shows them when all ones are written; the BAR is restored. */
static uint64_t bar_mask(struct pci_function f, uint32_t offset, bool is_64_bit)
{
    uint32_t command = pci_read16(f, PCI_COMMAND);
    uint32_t low = pci_read32(f, offset), high = pci_read32(f, offset + 4);

    pci_write32(f, PCI_COMMAND, command & ~(uint32_t)(PCI_COMMAND_MEMORY | PCI_COMMAND_IO));
    pci_write32(f, offset, UINT32_MAX);
    uint64_t mask = pci_read32(f, offset) & (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
    pci_write32(f, offset, low);
    if (is_64_bit) {
        pci_write32(f, offset + 4, UINT32_MAX);
        mask |= (uint64_t)pci_read32(f, offset + 4) << 32;
        pci_write32(f, offset + 4, high);
    } else {
        mask |= UINT64_C(0xffffffff00000000);
    }
    pci_write32(f, PCI_COMMAND, command);
    return (uint32_t)mask || is_64_bit ? mask : 0;
}

enum status pci_bar_read(struct pci_function f, unsigned index, struct pci_bar *out)
{
    if (index > 5)
        return STATUS_INVALID_ARGUMENT;
    uint32_t offset = PCI_BASE_ADDRESS_0 + 4 * index;
    uint32_t low = pci_read32(f, offset);
    uint32_t kind = low & PCI_BASE_ADDRESS_MEM_TYPE_MASK;
    bool is_64_bit = kind == PCI_BASE_ADDRESS_MEM_TYPE_64;
    bool is_32_bit = kind == PCI_BASE_ADDRESS_MEM_TYPE_32;
    if (low & PCI_BASE_ADDRESS_SPACE_IO || (!is_64_bit && !is_32_bit) || (is_64_bit && index == 5))
        return STATUS_INVALID_ARGUMENT;

    paddr_t base = low & (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
    if (is_64_bit)
        base |= (uint64_t)pci_read32(f, offset + 4) << 32;
    if (base == 0)
        return STATUS_OUT_OF_RANGE;
    uint64_t mask = bar_mask(f, offset, is_64_bit);
    uint64_t bytes = mask & -mask;
    if (bytes == 0 || base & (bytes - 1) || base + bytes < base)
        return STATUS_OUT_OF_RANGE;
    *out = (struct pci_bar){.base = base, .bytes = bytes};
    return STATUS_OK;
}

void pci_enable(struct pci_function f)
{
    uint32_t command = pci_read16(f, PCI_COMMAND);
    pci_write32(f, PCI_COMMAND, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
}
