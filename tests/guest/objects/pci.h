/* SPDX-License-Identifier: MIT
 * PCI configuration by its two ports, for a process that has them: devices on bus 0. */
#pragma once
#include "tests/guest/check.h"
#include "user/rt/io.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_ENABLE 0x80000000u
#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY 0x002
#define PCI_COMMAND_MASTER 0x004
#define PCI_COMMAND_NO_LINE 0x400
#define PCI_BAR 0x10
#define PCI_CAPABILITIES 0x34
#define PCI_CAPABILITY_MSI 0x05
#define MSI_ENABLE 0x00010000u /* in the capability's first word */
#define MSI_64_BIT 0x00800000u
#define EDU_ID 0x11e81234

static inline uint32_t pci_read(uint32_t device, uint32_t offset)
{
    port_out32(PCI_ADDRESS, PCI_ENABLE | device << 11 | (offset & 0xfc));
    return port_in32(PCI_DATA);
}

static inline void pci_write(uint32_t device, uint32_t offset, uint32_t value)
{
    port_out32(PCI_ADDRESS, PCI_ENABLE | device << 11 | (offset & 0xfc));
    port_out32(PCI_DATA, value);
}

/* The image says where the registers of QEMU's edu device are, so that is where they are put. */
static inline void pci_place_edu(uint32_t device, uint32_t physical)
{
    check_u64("device", pci_read(device, 0), EDU_ID);
    pci_write(device, PCI_COMMAND, 0);
    pci_write(device, PCI_BAR, physical);
    pci_write(device, PCI_COMMAND, PCI_COMMAND_MEMORY);
}

/* The device sends this message instead of raising its line. */
static inline void pci_set_message(uint32_t device, uint32_t address, uint32_t data)
{
    uint32_t at = pci_read(device, PCI_CAPABILITIES) & 0xfc;
    while (at && (pci_read(device, at) & 0xff) != PCI_CAPABILITY_MSI)
        at = pci_read(device, at) >> 8 & 0xfc;
    check_at_least("capability for messages", at, 0x40);
    uint32_t control = pci_read(device, at);
    check_u64("64-bit address", control & MSI_64_BIT, MSI_64_BIT);
    pci_write(device, at + 4, address);
    pci_write(device, at + 8, 0);
    pci_write(device, at + 12, data);
    pci_write(device, at, control | MSI_ENABLE);
    pci_write(device, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_LINE);
}
