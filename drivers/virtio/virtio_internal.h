/* SPDX-License-Identifier: MIT
 * What the virtio files share: a transport (registers of one device, PCI or MMIO) and the start-up every device needs.
 * Only these files may include this header. Everything here runs on the boot CPU and belongs to console.c's one device.
 * The device is not trusted: each size, offset and index that it gives is checked before it is used. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sys/abi/status.h"

#define VIRTIO_FEATURE(bit) (UINT64_C(1) << (bit))

struct virtio_transport;

/* Where the three parts of a split ring lie, as the device is told. */
struct virtio_queue_place {
    uint64_t descriptors;
    uint64_t available;
    uint64_t used;
    uint16_t queue;
    uint16_t size; /* entries */
};

/* A queue's notification register. */
struct virtio_doorbell {
    void *base;
    uint32_t offset;
    bool is_32_bit;
};

struct virtio_transport_ops {
    uint32_t (*features_read)(struct virtio_transport *t, uint32_t word);
    void (*features_write)(struct virtio_transport *t, uint32_t word, uint32_t value);
    uint8_t (*status_read)(struct virtio_transport *t);
    void (*status_write)(struct virtio_transport *t, uint8_t status);
    /* Largest size the device allows for a queue; 0 if it does not exist. */
    uint32_t (*queue_limit)(struct virtio_transport *t, uint16_t queue);
    /* Turns a queue on, without an interrupt. OUT_OF_RANGE if its doorbell lies outside the device's registers. */
    enum status (*queue_enable)(struct virtio_transport *t, const struct virtio_queue_place *place,
                                struct virtio_doorbell *out);
};

struct virtio_transport {
    const struct virtio_transport_ops *ops;
    void *registers; /* PCI: the common structure; MMIO: the whole window */
    void *config;    /* device-specific part */
    uint32_t config_bytes;
    void *notify; /* PCI only, as the next two */
    uint32_t notify_bytes;
    uint32_t notify_multiplier;
    const char *fault; /* why the device is no longer used; NULL while it behaves */
};

/* Find the first console device. NOT_FOUND if there is none, UNIMPLEMENTED if there are only legacy ones (said in the
 * log), or what made the device unusable. */
enum status virtio_pci_probe(struct virtio_transport *out);
enum status virtio_mmio_probe(struct virtio_transport *out, const char *hints, bool scan_window);

/* Reset to FEATURES_OK: takes those of `wanted` (which must include VERSION_1) that are offered, and ACCESS_PLATFORM if
 * the device insists on it. FAILED_PRECONDITION if it refuses; it is marked FAILED then. */
enum status virtio_device_start(struct virtio_transport *t, uint64_t wanted, uint64_t *accepted);
void virtio_device_go(struct virtio_transport *t); /* DRIVER_OK */
void virtio_device_fail(struct virtio_transport *t);
/* Marks the device FAILED and stops every ring of it; the first reason is kept. Does not log: log sinks end up here. */
void virtio_device_break(struct virtio_transport *t, const char *why);
bool virtio_device_needs_reset(struct virtio_transport *t);

/* A device-specific register; OUT_OF_RANGE if the device has no such one. */
enum status virtio_config_read32(const struct virtio_transport *t, uint32_t offset, uint32_t *out);
enum status virtio_config_write32(const struct virtio_transport *t, uint32_t offset, uint32_t value);
