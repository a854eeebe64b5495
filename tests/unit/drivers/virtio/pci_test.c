/* SPDX-License-Identifier: MIT
 * Configuration space that lies: BARs and capability chains of every bad shape must be refused, never followed out of
 * bounds or in circles. The good cases are in console_test.c. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "drivers/virtio/pci.h"
#include "drivers/virtio/virtio_internal.h"
#include "tests/unit/drivers/virtio/fake_device.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/pci_regs.h>
#include <string.h>

static const struct pci_function console_function = { .device = 3 };

static void plug(void)
{
    fake_init();
    fake_plug_pci();
}

TestSuite(pci, .init = plug, .timeout = 20);

static void put32(unsigned offset, uint32_t value)
{
    memcpy(&fake_bus.config[offset], &value, sizeof value);
}

static void expect_probe(enum status expected)
{
    struct virtio_transport t;
    cr_assert(eq(int, virtio_pci_probe(&t), expected));
}

static void expect_bar(unsigned index, enum status expected)
{
    struct pci_bar bar;
    cr_assert(eq(int, pci_bar_read(console_function, index, &bar), expected));
}

Test(pci, good_device_is_found)
{
    expect_probe(STATUS_OK);
}

Test(pci, no_host_bridge)
{
    fake_bus.pci = false;
    cr_assert(not(pci_present()));
    expect_probe(STATUS_NOT_FOUND);
}

Test(pci, other_devices_are_passed_over)
{
    fake_bus.config[2] = 0x42;
    expect_probe(STATUS_NOT_FOUND);
}

/* A bridge that claims to lead back to its own bus is visited once. */
Test(pci, bridge_in_a_circle)
{
    fake_bus.config[PCI_HEADER_TYPE] = 0x80 | PCI_HEADER_TYPE_BRIDGE;
    fake_bus.config[PCI_SECONDARY_BUS] = 0;
    expect_probe(STATUS_OK);
    fake_bus.config[2] = 0x42;
    expect_probe(STATUS_NOT_FOUND);
    fake_bus.config[PCI_SECONDARY_BUS] = 255;
    expect_probe(STATUS_NOT_FOUND);
}

Test(pci, bar_is_sized_and_restored)
{
    struct pci_bar bar;
    uint8_t before[256];
    memcpy(before, fake_bus.config, sizeof before);
    cr_assert(eq(int, pci_bar_read(console_function, 4, &bar), STATUS_OK));
    cr_assert(eq(u64, bar.base, FAKE_BAR));
    cr_assert(eq(u64, bar.bytes, FAKE_BAR_BYTES));
    cr_assert(zero(memcmp(before, fake_bus.config, sizeof before)));
}

Test(pci, bar_of_32_bits)
{
    struct pci_bar bar;
    put32(PCI_BASE_ADDRESS_5, (uint32_t)FAKE_BAR);
    fake_bus.bar_mask = 0xfffff000ull << 32; /* this register plays a BAR of its own here */
    cr_assert(eq(int, pci_bar_read(console_function, 5, &bar), STATUS_OK));
    cr_assert(eq(u64, bar.base, FAKE_BAR));
    cr_assert(eq(u64, bar.bytes, 4096));
}

Test(pci, bad_bars)
{
    expect_bar(6, STATUS_INVALID_ARGUMENT);
    put32(PCI_BASE_ADDRESS_4, 0xc001);
    expect_bar(4, STATUS_INVALID_ARGUMENT);
    put32(PCI_BASE_ADDRESS_4, (uint32_t)FAKE_BAR | PCI_BASE_ADDRESS_MEM_TYPE_1M);
    expect_bar(4, STATUS_INVALID_ARGUMENT);
    put32(PCI_BASE_ADDRESS_5, (uint32_t)FAKE_BAR | PCI_BASE_ADDRESS_MEM_TYPE_64);
    expect_bar(5, STATUS_INVALID_ARGUMENT);
    put32(PCI_BASE_ADDRESS_5, 0);
    put32(PCI_BASE_ADDRESS_4, PCI_BASE_ADDRESS_MEM_TYPE_64);
    expect_bar(4, STATUS_OUT_OF_RANGE);
    put32(PCI_BASE_ADDRESS_4, ((uint32_t)FAKE_BAR + 0x1000) | PCI_BASE_ADDRESS_MEM_TYPE_64);
    expect_bar(4, STATUS_OUT_OF_RANGE);
    fake_bus.bar_mask = 0;
    put32(PCI_BASE_ADDRESS_4, (uint32_t)FAKE_BAR | PCI_BASE_ADDRESS_MEM_TYPE_64);
    expect_bar(4, STATUS_OUT_OF_RANGE);
    fake_bus.bar_mask = ~UINT64_C(0x3fff);
    put32(PCI_BASE_ADDRESS_4, 0xffffc000 | PCI_BASE_ADDRESS_MEM_TYPE_64);
    put32(PCI_BASE_ADDRESS_5, 0xffffffff);
    expect_bar(4, STATUS_OUT_OF_RANGE);
}

Test(pci, legacy_device_without_capabilities)
{
    put32(PCI_COMMAND, PCI_COMMAND_MEMORY);
    expect_probe(STATUS_UNIMPLEMENTED);
}

Test(pci, chain_in_a_circle)
{
    fake_bus.config[0x41] = 0x40;
    expect_probe(STATUS_UNIMPLEMENTED);
}

Test(pci, chain_into_the_header)
{
    fake_bus.config[PCI_CAPABILITY_LIST] = 0x10;
    expect_probe(STATUS_UNIMPLEMENTED);
}

Test(pci, capability_past_the_end)
{
    fake_bus.config[0x41] = 0xfc;
    put32(0xfc, PCI_CAP_ID_VNDR | 20u << 16 | 2u << 24);
    expect_probe(STATUS_UNIMPLEMENTED);
}

Test(pci, capability_too_short)
{
    fake_bus.config[0x42] = 12;
    expect_probe(STATUS_UNIMPLEMENTED);
}

Test(pci, notify_capability_without_multiplier)
{
    fake_bus.config[0x56] = 16;
    expect_probe(STATUS_OUT_OF_RANGE);
}

Test(pci, structure_too_small)
{
    put32(0x4c, 55);
    expect_probe(STATUS_OUT_OF_RANGE);
}

Test(pci, structure_misaligned)
{
    put32(0x48, 2);
    expect_probe(STATUS_OUT_OF_RANGE);
}

Test(pci, structure_past_the_bar)
{
    put32(0x48, FAKE_BAR_BYTES);
    expect_probe(STATUS_OUT_OF_RANGE);
    put32(0x48, FAKE_BAR_BYTES - 52);
    expect_probe(STATUS_OUT_OF_RANGE);
    put32(0x48, 0xfffffffc);
    expect_probe(STATUS_OUT_OF_RANGE);
    put32(0x48, 0);
    put32(0x4c, 0xffffffff);
    expect_probe(STATUS_OUT_OF_RANGE);
}

Test(pci, structure_in_no_bar)
{
    fake_bus.config[0x44] = 7;
    expect_probe(STATUS_INVALID_ARGUMENT);
    fake_bus.config[0x44] = 0;
    expect_probe(STATUS_OUT_OF_RANGE);
}

Test(pci, first_of_a_kind_counts)
{
    fake_bus.config[0x69] = 0x80; /* the chain goes on to a second common structure, which is bad */
    put32(0x80, PCI_CAP_ID_VNDR | 16u << 16 | 1u << 24);
    put32(0x84, 5);
    expect_probe(STATUS_OK);
}
