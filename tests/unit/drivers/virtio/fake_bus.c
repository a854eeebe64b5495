/* SPDX-License-Identifier: MIT
 * The machine around the fake device: a window of physical memory with RAM, the virtio-mmio slots and a PCI BAR in it,
 * and configuration space behind ports 0xcf8/0xcfc. Gives page_alloc and the I/O accessors to the code under test. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "tests/unit/drivers/virtio/fake_device.h"

#include <arch/io.h>
#include <arch/memory.h>
#include <criterion/criterion.h>
#include <linux/pci_regs.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_pci.h>
#include <string.h>
#include "mm/page.h"

#define COMMON 0x0u
#define NOTIFY 0x1000u
#define CONFIG 0x2000u

struct fake_bus fake_bus;
static unsigned char memory[0x300000] __attribute__((aligned(4096)));
static uint64_t ram_next = FAKE_RAM;

__attribute__((constructor)) static void memory_place(void)
{
    test_phys = memory;
    test_phys_base = FAKE_RAM;
    test_phys_bytes = sizeof memory;
}

enum status page_alloc(size_t count, size_t align_bytes, paddr_t *out)
{
    cr_assert(align_bytes == PAGE_SIZE);
    if (count > (FAKE_SLOTS - ram_next) / PAGE_SIZE)
        return STATUS_RESOURCE_EXHAUSTED;
    *out = ram_next;
    ram_next += count * PAGE_SIZE;
    return STATUS_OK;
}

void fake_plug_mmio(unsigned slot)
{
    fake_bus.mmio = true;
    fake_bus.mmio_version = 2;
    fake_bus.mmio_place = FAKE_SLOTS + slot * 512u;
}

static void config_put(unsigned offset, uint32_t value)
{
    memcpy(&fake_bus.config[offset], &value, 4);
}

static void capability_put(unsigned place, unsigned next, unsigned type, uint32_t offset, uint32_t length)
{
    unsigned bytes = type == VIRTIO_PCI_CAP_NOTIFY_CFG ? 20 : 16;
    config_put(place, PCI_CAP_ID_VNDR | next << 8 | bytes << 16 | type << 24);
    config_put(place + 4, 4);
    config_put(place + 8, offset);
    config_put(place + 12, length);
}

void fake_plug_pci(void)
{
    fake_bus.pci = fake_bus.pci_device = true;
    fake_bus.bar_mask = ~(uint64_t)(FAKE_BAR_BYTES - 1);
    config_put(PCI_VENDOR_ID, 0x10431af4);
    config_put(PCI_COMMAND, PCI_STATUS_CAP_LIST << 16 | PCI_COMMAND_MEMORY);
    config_put(PCI_BASE_ADDRESS_4, (uint32_t)FAKE_BAR | PCI_BASE_ADDRESS_MEM_TYPE_64);
    config_put(PCI_CAPABILITY_LIST, 0x40);
    capability_put(0x40, 0x54, VIRTIO_PCI_CAP_COMMON_CFG, COMMON, 56);
    capability_put(0x54, 0x68, VIRTIO_PCI_CAP_NOTIFY_CFG, NOTIFY, 0x1000);
    config_put(0x64, 4);
    capability_put(0x68, 0, VIRTIO_PCI_CAP_DEVICE_CFG, CONFIG, 12);
}

static uint32_t config_address;

static bool config_selects_device(void)
{
    uint32_t place = 0x800000u | (uint32_t)fake_bus.pci_bus << 8 | 3u << 3;
    return fake_bus.pci_device && (config_address >> 8 & 0xffffff) == place;
}

uint32_t io_in32(uint16_t port)
{
    uint32_t v = UINT32_MAX;
    if (!fake_bus.pci)
        return v;
    if (port == 0xcf8)
        return config_address;
    if (config_selects_device())
        memcpy(&v, &fake_bus.config[config_address & 0xfc], 4);
    else if (fake_bus.pci_bus && (config_address & 0x7fffff00) == 2u << 11) /* bridge 00:02.0 */
        v = (config_address & 0xfc) == PCI_HEADER_TYPE / 4 * 4   ? (uint32_t)PCI_HEADER_TYPE_BRIDGE << 16
            : (config_address & 0xfc) == PCI_PRIMARY_BUS         ? (uint32_t)fake_bus.pci_bus << 8
                                                                 : 0x00011b36;
    return v;
}

void io_out32(uint16_t port, uint32_t v)
{
    fake_bus.pci_writes++;
    if (port == 0xcf8) {
        config_address = v;
        return;
    }
    uint32_t offset = config_address & 0xfc;
    cr_assert(config_selects_device(), "configuration write to another device");
    if (offset == PCI_COMMAND)
        v = PCI_STATUS_CAP_LIST << 16 | (v & 0xffff);
    else if (offset == PCI_BASE_ADDRESS_4)
        v = (v & (uint32_t)fake_bus.bar_mask & ~15u) | PCI_BASE_ADDRESS_MEM_TYPE_64;
    else if (offset == PCI_BASE_ADDRESS_5)
        v &= (uint32_t)(fake_bus.bar_mask >> 32);
    else
        cr_assert_fail("configuration write to %#x", offset);
    memcpy(&fake_bus.config[offset], &v, 4);
}

static void half_write(uint64_t *word, bool high, uint32_t v)
{
    *word = high ? (*word & UINT32_MAX) | (uint64_t)v << 32 : (*word & ~(uint64_t)UINT32_MAX) | v;
}

/* The six address registers of a queue, in the order both transports have them. */
static void address_write(unsigned n, uint32_t v)
{
    struct fake_queue *q = &fake.queues[fake.queue_selected];
    uint64_t *words[] = { &q->descriptors, &q->available, &q->used };
    half_write(words[n / 2], n % 2, v);
}

static uint32_t feature_read(void)
{
    return fake.feature_word < 2 ? (uint32_t)(fake.offered >> 32 * fake.feature_word) : 0;
}

static uint32_t slot_read(uint32_t offset)
{
    switch (offset) {
    case VIRTIO_MMIO_MAGIC_VALUE: return 0x74726976;
    case VIRTIO_MMIO_VERSION: return fake_bus.mmio_version;
    case VIRTIO_MMIO_DEVICE_ID: return 3;
    case VIRTIO_MMIO_DEVICE_FEATURES: return feature_read();
    case VIRTIO_MMIO_QUEUE_NUM_MAX: return fake_queue_limit();
    case VIRTIO_MMIO_QUEUE_READY: return fake.queues[fake.queue_selected].enabled;
    case VIRTIO_MMIO_STATUS: return fake.status;
    default: break;
    }
    cr_assert(offset >= VIRTIO_MMIO_CONFIG, "read of %#x", offset);
    return fake_config_read(offset - VIRTIO_MMIO_CONFIG);
}

static void slot_write(uint32_t offset, uint32_t v)
{
    switch (offset) {
    case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
    case VIRTIO_MMIO_DRIVER_FEATURES_SEL: fake.feature_word = v; break;
    case VIRTIO_MMIO_DRIVER_FEATURES: half_write(&fake.accepted, fake.feature_word, v); break;
    case VIRTIO_MMIO_QUEUE_SEL: fake.queue_selected = (uint16_t)v; break;
    case VIRTIO_MMIO_QUEUE_NUM: fake.queues[fake.queue_selected].size = (uint16_t)v; break;
    case VIRTIO_MMIO_QUEUE_READY: fake_queue_enable(); break;
    case VIRTIO_MMIO_QUEUE_NOTIFY: fake_notify((uint16_t)v); break;
    case VIRTIO_MMIO_STATUS: fake_status_write((uint8_t)v); break;
    case VIRTIO_MMIO_QUEUE_DESC_LOW: address_write(0, v); break;
    case VIRTIO_MMIO_QUEUE_DESC_HIGH: address_write(1, v); break;
    case VIRTIO_MMIO_QUEUE_AVAIL_LOW: address_write(2, v); break;
    case VIRTIO_MMIO_QUEUE_AVAIL_HIGH: address_write(3, v); break;
    case VIRTIO_MMIO_QUEUE_USED_LOW: address_write(4, v); break;
    case VIRTIO_MMIO_QUEUE_USED_HIGH: address_write(5, v); break;
    default:
        cr_assert(offset >= VIRTIO_MMIO_CONFIG, "write of %#x", offset);
        fake_config_write(offset - VIRTIO_MMIO_CONFIG, v);
    }
}

static uint32_t bar_read(uint32_t offset)
{
    const uint8_t enabled = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    cr_assert_eq(fake_bus.config[PCI_COMMAND] & enabled, enabled);
    switch (offset) {
    case VIRTIO_PCI_COMMON_DF: return feature_read();
    case VIRTIO_PCI_COMMON_NUMQ: return FAKE_QUEUES;
    case VIRTIO_PCI_COMMON_STATUS: return fake.status;
    case VIRTIO_PCI_COMMON_Q_SIZE: return fake_queue_limit();
    case VIRTIO_PCI_COMMON_Q_NOFF: return fake.queue_selected;
    default: break;
    }
    cr_assert(offset >= CONFIG, "read of %#x", offset);
    return fake_config_read(offset - CONFIG);
}

static void bar_write(uint32_t offset, uint32_t v)
{
    switch (offset) {
    case VIRTIO_PCI_COMMON_DFSELECT:
    case VIRTIO_PCI_COMMON_GFSELECT: fake.feature_word = v; return;
    case VIRTIO_PCI_COMMON_GF: half_write(&fake.accepted, fake.feature_word, v); return;
    case VIRTIO_PCI_COMMON_STATUS: fake_status_write((uint8_t)v); return;
    case VIRTIO_PCI_COMMON_Q_SELECT: fake.queue_selected = (uint16_t)v; return;
    case VIRTIO_PCI_COMMON_Q_SIZE: fake.queues[fake.queue_selected].size = (uint16_t)v; return;
    case VIRTIO_PCI_COMMON_MSIX:
    case VIRTIO_PCI_COMMON_Q_MSIX: cr_assert(v == VIRTIO_MSI_NO_VECTOR); return;
    case VIRTIO_PCI_COMMON_Q_ENABLE: cr_assert(v == 1); fake_queue_enable(); return;
    default: break;
    }
    if (offset >= VIRTIO_PCI_COMMON_Q_DESCLO && offset <= VIRTIO_PCI_COMMON_Q_USEDHI) {
        address_write((offset - VIRTIO_PCI_COMMON_Q_DESCLO) / 4, v);
    } else if (offset >= CONFIG) {
        fake_config_write(offset - CONFIG, v);
    } else {
        cr_assert(offset >= NOTIFY && offset == NOTIFY + 4 * v, "write of %#x", offset);
        fake_notify((uint16_t)v);
    }
}

static uint32_t bus_read(const void *base, uint32_t offset)
{
    uint64_t place = virt_to_phys(base) + offset;
    if (place >= FAKE_BAR && place < FAKE_BAR + FAKE_BAR_BYTES && fake_bus.pci_device)
        return bar_read((uint32_t)(place - FAKE_BAR));
    fake_bus.window_reads++;
    if (fake_bus.mmio && place >= fake_bus.mmio_place && place < fake_bus.mmio_place + 512)
        return slot_read((uint32_t)(place - fake_bus.mmio_place));
    return UINT32_MAX;
}

static void bus_write(const void *base, uint32_t offset, uint32_t v)
{
    uint64_t place = virt_to_phys(base) + offset;
    if (place >= FAKE_BAR && place < FAKE_BAR + FAKE_BAR_BYTES && fake_bus.pci_device) {
        bar_write((uint32_t)(place - FAKE_BAR), v);
        return;
    }
    bool hit = fake_bus.mmio && place >= fake_bus.mmio_place && place < fake_bus.mmio_place + 512;
    cr_assert(hit, "write outside the device");
    slot_write((uint32_t)(place - fake_bus.mmio_place), v);
}

uint8_t mmio_read8(const void *base, uint32_t offset)
{
    return (uint8_t)bus_read(base, offset);
}
uint16_t mmio_read16(const void *base, uint32_t offset)
{
    return (uint16_t)bus_read(base, offset);
}
uint32_t mmio_read32(const void *base, uint32_t offset)
{
    return bus_read(base, offset);
}
void mmio_write8(void *base, uint32_t offset, uint8_t v)
{
    bus_write(base, offset, v);
}
void mmio_write16(void *base, uint32_t offset, uint16_t v)
{
    bus_write(base, offset, v);
}
void mmio_write32(void *base, uint32_t offset, uint32_t v)
{
    bus_write(base, offset, v);
}
