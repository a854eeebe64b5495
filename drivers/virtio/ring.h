/* SPDX-License-Identifier: MIT
 * One split virtqueue whose descriptors each stand for one fixed slot of memory, so a descriptor never chains and the
 * slot number is the descriptor number. One user on the boot CPU; the device is the other side. What the device writes
 * (used ring, avail_event) is only ever compared; all state is kept in this struct. Slot states: free -> taken
 * (virtio_ring_take) -> queued (put, kick) -> taken again (reap) -> put or release. Deliberately absent: interrupts,
 * indirect descriptors, packed layout. */
#pragma once
#include <arch/atomic.h>
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "drivers/virtio/virtio_internal.h"
#include "sys/abi/status.h"

#define VIRTIO_RING_SLOTS_MAX 64u

struct virtio_ring_shape {
    uint16_t queue;
    uint16_t slots;      /* wanted, a power of two up to VIRTIO_RING_SLOTS_MAX; the device may allow fewer */
    uint32_t slot_bytes; /* multiple of 16 */
    bool device_writes;  /* receive queue */
    bool event_idx;      /* VIRTIO_RING_F_EVENT_IDX was negotiated */
};

struct virtio_ring {
    struct virtio_transport *transport;
    struct vring_desc *descriptors;
    struct vring_avail *available;
    struct vring_used *used;
    unsigned char *slots;
    struct virtio_doorbell doorbell;
    struct virtio_ring_shape shape; /* slots: as the device allowed */
    uint64_t free;                  /* bit set: slot is free */
    uint64_t queued;                /* bit set: slot is with the device */
    uint16_t available_next;        /* index of the next entry to fill */
    uint16_t available_told;        /* index last published */
    uint16_t used_next;             /* index of the next used entry to look at */
    uint64_t kicks;
    uint64_t kicks_suppressed;
};

/* Takes memory from page_alloc and turns the queue on. NOT_FOUND if the device lacks it, OUT_OF_RANGE for a size or
 * doorbell that is not legal, or page_alloc's status; the ring is unusable then. Before page_seal. */
enum status virtio_ring_create(struct virtio_ring *ring, struct virtio_transport *t,
                               const struct virtio_ring_shape *shape);

/* A free slot, now the caller's; false if there is none. */
bool virtio_ring_take(struct virtio_ring *ring, uint16_t *slot);
void *virtio_ring_slot(const struct virtio_ring *ring, uint16_t slot);

/* Queues a taken slot of which `bytes` hold data, or may be written. The device sees it at the next kick. */
void virtio_ring_put(struct virtio_ring *ring, uint16_t slot, uint32_t bytes);
/* Publishes what was put and notifies the device if it asked for that. */
void virtio_ring_kick(struct virtio_ring *ring);

/* The next slot the device is done with, now the caller's, and how many bytes it wrote; false if there is none.
 * Anything impossible in the used ring breaks the device (virtio_device_break), and from then on there is none. */
bool virtio_ring_reap(struct virtio_ring *ring, uint16_t *slot, uint32_t *bytes);
void virtio_ring_release(struct virtio_ring *ring, uint16_t slot);

/* Whether a reap has something to look at: the cheap question of a wait loop. */
static inline bool virtio_ring_pending(const struct virtio_ring *ring)
{
    return load_relaxed(&ring->used->idx) != ring->used_next;
}

/* Whether the device holds nothing. */
bool virtio_ring_idle(const struct virtio_ring *ring);
