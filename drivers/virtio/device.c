/* SPDX-License-Identifier: MIT
 * Start-up of a virtio device on any transport: reset, status bits, features. The order is that of VIRTIO 1.2, 3.1.1,
 * one status bit at a time because strict devices insist. Each wait is bounded. */
#include "drivers/virtio/virtio_internal.h"

#include <arch/cpu.h>
#include <arch/io.h>
#include <linux/virtio_config.h>

/* A reset that takes longer than this many reads (each a VM exit) will not end. */
#define RESET_READS_MAX 1000

static bool device_reset(struct virtio_transport *t)
{
    t->ops->status_write(t, 0);
    for (unsigned reads = 0; reads < RESET_READS_MAX; reads++) {
        if (t->ops->status_read(t) == 0)
            return true;
        cpu_pause();
    }
    return false;
}

static void status_add(struct virtio_transport *t, uint8_t bits)
{
    t->ops->status_write(t, (uint8_t)(t->ops->status_read(t) | bits));
}

static uint64_t features_offered(struct virtio_transport *t)
{
    uint64_t low = t->ops->features_read(t, 0);
    return low | (uint64_t)t->ops->features_read(t, 1) << 32;
}

/* One round of negotiation; false if the device does not accept exactly `features`. */
static bool features_agree(struct virtio_transport *t, uint64_t features)
{
    t->ops->features_write(t, 0, (uint32_t)features);
    t->ops->features_write(t, 1, (uint32_t)(features >> 32));
    status_add(t, VIRTIO_CONFIG_S_FEATURES_OK);
    return t->ops->status_read(t) & VIRTIO_CONFIG_S_FEATURES_OK;
}

static bool device_greet(struct virtio_transport *t)
{
    if (!device_reset(t))
        return false;
    status_add(t, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    status_add(t, VIRTIO_CONFIG_S_DRIVER);
    return true;
}

enum status virtio_device_start(struct virtio_transport *t, uint64_t wanted, uint64_t *accepted)
{
    uint64_t platform = VIRTIO_FEATURE(VIRTIO_F_ACCESS_PLATFORM);

    if (!device_greet(t))
        goto fail;
    uint64_t offered = features_offered(t);
    uint64_t features = offered & wanted;
    if (!(features & VIRTIO_FEATURE(VIRTIO_F_VERSION_1)))
        goto fail;
    if (!features_agree(t, features)) {
        /* With bus addresses equal to physical ones the bit changes nothing for us, so it is taken only on demand. */
        if (!(offered & platform) || !device_greet(t))
            goto fail;
        features |= platform;
        if (!features_agree(t, features))
            goto fail;
    }
    *accepted = features;
    return STATUS_OK;

fail:
    virtio_device_fail(t);
    return STATUS_FAILED_PRECONDITION;
}

void virtio_device_go(struct virtio_transport *t)
{
    status_add(t, VIRTIO_CONFIG_S_DRIVER_OK);
}

void virtio_device_fail(struct virtio_transport *t)
{
    status_add(t, VIRTIO_CONFIG_S_FAILED);
}

void virtio_device_break(struct virtio_transport *t, const char *why)
{
    if (t->fault)
        return;
    t->fault = why;
    virtio_device_fail(t);
}

bool virtio_device_needs_reset(struct virtio_transport *t)
{
    return t->ops->status_read(t) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

enum status virtio_config_read32(const struct virtio_transport *t, uint32_t offset, uint32_t *out)
{
    if (t->config_bytes < 4 || offset > t->config_bytes - 4)
        return STATUS_OUT_OF_RANGE;
    *out = mmio_read32(t->config, offset);
    return STATUS_OK;
}

enum status virtio_config_write32(const struct virtio_transport *t, uint32_t offset, uint32_t value)
{
    if (t->config_bytes < 4 || offset > t->config_bytes - 4)
        return STATUS_OUT_OF_RANGE;
    mmio_write32(t->config, offset, value);
    return STATUS_OK;
}
