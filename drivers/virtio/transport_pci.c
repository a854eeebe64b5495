/* SPDX-License-Identifier: MIT
 * virtio-pci, modern interface: the structures named by vendor capabilities, each checked against its BAR before it is
 * mapped. A transitional device is driven through the same capabilities; one without them is refused with the option
 * that brings them. No vector is given to any queue: everything is polled. */
#include "drivers/virtio/pci.h"
#include "drivers/virtio/virtio_internal.h"

#include <arch/io.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include "sys/lib/log.h"

#define VENDOR 0x1af4
#define DEVICE_CONSOLE 0x1043
#define DEVICE_CONSOLE_TRANSITIONAL 0x1003
#define CAPABILITIES_MAX 48u /* more do not fit into 192 bytes */
#define COMMON_BYTES 56u
#define STRUCTURE_BYTES_MAX (1u << 20) /* page-per-queue doorbells of 256 queues */

static uint32_t pci_features_read(struct virtio_transport *t, uint32_t word)
{
    mmio_write32(t->registers, VIRTIO_PCI_COMMON_DFSELECT, word);
    return mmio_read32(t->registers, VIRTIO_PCI_COMMON_DF);
}

static void pci_features_write(struct virtio_transport *t, uint32_t word, uint32_t value)
{
    mmio_write32(t->registers, VIRTIO_PCI_COMMON_GFSELECT, word);
    mmio_write32(t->registers, VIRTIO_PCI_COMMON_GF, value);
}

static uint8_t pci_status_read(struct virtio_transport *t)
{
    return mmio_read8(t->registers, VIRTIO_PCI_COMMON_STATUS);
}

static void pci_status_write(struct virtio_transport *t, uint8_t status)
{
    if (status == 0)
        mmio_write16(t->registers, VIRTIO_PCI_COMMON_MSIX, VIRTIO_MSI_NO_VECTOR);
    mmio_write8(t->registers, VIRTIO_PCI_COMMON_STATUS, status);
}

static uint32_t pci_queue_limit(struct virtio_transport *t, uint16_t queue)
{
    if (queue >= mmio_read16(t->registers, VIRTIO_PCI_COMMON_NUMQ))
        return 0;
    mmio_write16(t->registers, VIRTIO_PCI_COMMON_Q_SELECT, queue);
    return mmio_read16(t->registers, VIRTIO_PCI_COMMON_Q_SIZE);
}

static void write_address(struct virtio_transport *t, uint32_t low_register, uint64_t address)
{
    mmio_write32(t->registers, low_register, (uint32_t)address);
    mmio_write32(t->registers, low_register + 4, (uint32_t)(address >> 32));
}

static enum status pci_queue_enable(struct virtio_transport *t, const struct virtio_queue_place *place,
                                    struct virtio_doorbell *out)
{
    mmio_write16(t->registers, VIRTIO_PCI_COMMON_Q_SELECT, place->queue);
    uint64_t offset = (uint64_t)mmio_read16(t->registers, VIRTIO_PCI_COMMON_Q_NOFF) * t->notify_multiplier;
    if (offset % 2 || offset + sizeof(uint16_t) > t->notify_bytes)
        return STATUS_OUT_OF_RANGE;
    mmio_write16(t->registers, VIRTIO_PCI_COMMON_Q_SIZE, place->size);
    mmio_write16(t->registers, VIRTIO_PCI_COMMON_Q_MSIX, VIRTIO_MSI_NO_VECTOR);
    write_address(t, VIRTIO_PCI_COMMON_Q_DESCLO, place->descriptors);
    write_address(t, VIRTIO_PCI_COMMON_Q_AVAILLO, place->available);
    write_address(t, VIRTIO_PCI_COMMON_Q_USEDLO, place->used);
    mmio_write16(t->registers, VIRTIO_PCI_COMMON_Q_ENABLE, 1);
    *out = (struct virtio_doorbell){.base = t->notify, .offset = (uint32_t)offset};
    return STATUS_OK;
}

static const struct virtio_transport_ops pci_ops = {
    .features_read = pci_features_read,
    .features_write = pci_features_write,
    .status_read = pci_status_read,
    .status_write = pci_status_write,
    .queue_limit = pci_queue_limit,
    .queue_enable = pci_queue_enable,
};

/* One vendor capability as read from configuration space. */
struct capability {
    uint8_t place; /* its offset in configuration space; 0 if the device has none of this type */
    uint8_t bytes;
    uint8_t bar;
    uint32_t offset;
    uint32_t length;
};

#define CAPABILITY_TYPES 5u /* indexed by VIRTIO_PCI_CAP_*; only 1, 2 and 4 are of use here */

/* Notes the first capability of each type. The chain is the device's word, hence the bound. */
static void capabilities_read(struct pci_function f, struct capability found[CAPABILITY_TYPES])
{
    if (!(pci_read16(f, PCI_STATUS) & PCI_STATUS_CAP_LIST))
        return;
    uint8_t place = pci_read8(f, PCI_CAPABILITY_LIST) & 0xfc;
    for (unsigned n = 0; n < CAPABILITIES_MAX && place >= PCI_STD_HEADER_SIZEOF; n++) {
        uint32_t head = pci_read32(f, place);
        uint8_t bytes = (uint8_t)(head >> 16), type = (uint8_t)(head >> 24);
        bool fits = bytes >= sizeof(struct virtio_pci_cap) && place + bytes <= 256;
        if ((head & 0xff) == PCI_CAP_ID_VNDR && fits && type < CAPABILITY_TYPES && !found[type].place) {
            found[type] = (struct capability){
                .place = place,
                .bytes = bytes,
                .bar = pci_read8(f, place + VIRTIO_PCI_CAP_BAR),
                .offset = pci_read32(f, place + VIRTIO_PCI_CAP_OFFSET),
                .length = pci_read32(f, place + VIRTIO_PCI_CAP_LENGTH),
            };
        }
        place = (uint8_t)(head >> 8) & 0xfc;
    }
}

/* Maps the structure a capability names; needs `at_least` bytes of it, aligned to `align`. */
static enum status structure_map(struct pci_function f, const struct capability *c, uint32_t at_least, uint32_t align,
                                 void **out)
{
    struct pci_bar bar;
    enum status s = pci_bar_read(f, c->bar, &bar);
    if (s != STATUS_OK)
        return s;
    if (c->length < at_least || c->offset % align || c->offset >= bar.bytes || c->length > bar.bytes - c->offset)
        return STATUS_OUT_OF_RANGE;
    uint32_t bytes = c->length < STRUCTURE_BYTES_MAX ? c->length : STRUCTURE_BYTES_MAX;
    paddr_t place = bar.base + c->offset;
    paddr_t page = place & ~(paddr_t)(PAGE_SIZE - 1);
    char *window = mmio_map(page, (size_t)(place - page) + bytes);
    if (!window)
        return STATUS_RESOURCE_EXHAUSTED;
    *out = window + (place - page);
    return STATUS_OK;
}

static enum status notify_map(struct pci_function f, const struct capability *c, struct virtio_transport *t)
{
    if (c->bytes < sizeof(struct virtio_pci_notify_cap) || c->place + sizeof(struct virtio_pci_notify_cap) > 256)
        return STATUS_OUT_OF_RANGE;
    t->notify_multiplier = pci_read32(f, c->place + VIRTIO_PCI_NOTIFY_CAP_MULT);
    t->notify_bytes = c->length < STRUCTURE_BYTES_MAX ? c->length : STRUCTURE_BYTES_MAX;
    return structure_map(f, c, 2, 2, &t->notify);
}

static enum status function_open(struct pci_function f, struct virtio_transport *t)
{
    struct capability found[CAPABILITY_TYPES] = {{0}};
    const struct capability *config = &found[VIRTIO_PCI_CAP_DEVICE_CFG];

    capabilities_read(f, found);
    if (!found[VIRTIO_PCI_CAP_COMMON_CFG].place || !found[VIRTIO_PCI_CAP_NOTIFY_CFG].place)
        return STATUS_UNIMPLEMENTED;
    *t = (struct virtio_transport){.ops = &pci_ops};
    enum status s = structure_map(f, &found[VIRTIO_PCI_CAP_COMMON_CFG], COMMON_BYTES, 4, &t->registers);
    if (s == STATUS_OK)
        s = notify_map(f, &found[VIRTIO_PCI_CAP_NOTIFY_CFG], t);
    if (s == STATUS_OK && config->place) {
        t->config_bytes = config->length < STRUCTURE_BYTES_MAX ? config->length : STRUCTURE_BYTES_MAX;
        s = structure_map(f, config, 1, 4, &t->config);
    }
    if (s == STATUS_OK)
        pci_enable(f);
    return s;
}

struct search {
    struct virtio_transport *out;
    enum status verdict;
};

static bool console_visit(struct pci_function f, void *context)
{
    struct search *search = context;
    uint32_t id = pci_read32(f, PCI_VENDOR_ID);
    if (id != (DEVICE_CONSOLE << 16 | VENDOR) && id != (DEVICE_CONSOLE_TRANSITIONAL << 16 | VENDOR))
        return false;
    search->verdict = function_open(f, search->out);
    if (search->verdict == STATUS_UNIMPLEMENTED)
        log_warn("virtio-pci: console at %02x:%02x.%x is legacy; pass disable-legacy=on,disable-modern=off", f.bus,
                 f.device, f.function);
    else if (search->verdict != STATUS_OK)
        log_warn("virtio-pci: console at %02x:%02x.%x refused: bad BAR, or registers outside it", f.bus, f.device,
                 f.function);
    else
        log_info("virtio-pci: console at %02x:%02x.%x", f.bus, f.device, f.function);
    return search->verdict == STATUS_OK;
}

enum status virtio_pci_probe(struct virtio_transport *out)
{
    struct search search = {.out = out, .verdict = STATUS_NOT_FOUND};
    if (pci_present())
        pci_visit(console_visit, &search);
    return search.verdict;
}
