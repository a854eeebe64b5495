/* SPDX-License-Identifier: MIT
 * Split virtqueue. Memory order against the device, which runs on another CPU or in another thread of the host:
 *   descriptor and ring entry, then the published index (release)        pairs: virtio-avail
 *   published index, then the device's avail_event or flags (full fence) pairs: virtio-kick
 *   the device's used index (acquire), then the used entry and the data  pairs: virtio-used
 * Interrupts are kept off by a used_event just behind the entries already seen, renewed as they are seen. */
#include "drivers/virtio/ring.h"

#include <arch/io.h>
#include <arch/memory.h>
#include "mm/page.h"

#define SIZE_LIMIT 32768u /* VIRTIO 1.2, 2.7 */
#define AVAILABLE_OFFSET 1024u
#define USED_OFFSET 2048u

_Static_assert(sizeof(struct vring_desc) * VIRTIO_RING_SLOTS_MAX <= AVAILABLE_OFFSET, "descriptors overlap the ring");
_Static_assert(AVAILABLE_OFFSET + sizeof(struct vring_avail) + 2 * (VIRTIO_RING_SLOTS_MAX + 1) <= USED_OFFSET,
               "the available ring overlaps the used ring");
_Static_assert(USED_OFFSET + sizeof(struct vring_used) + sizeof(struct vring_used_elem) * VIRTIO_RING_SLOTS_MAX + 2 <=
                   PAGE_SIZE,
               "the rings of one queue share one page");

static bool is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

/* The word behind the available ring in which we say which used index deserves an interrupt. */
static void used_event_avoid(struct virtio_ring *ring)
{
    store_relaxed(&ring->available->ring[ring->shape.slots], (uint16_t)(ring->used_next - 1));
}

/* The word behind the used ring in which the device says which available index deserves a kick. */
static uint16_t available_event(const struct virtio_ring *ring)
{
    const uint16_t *event = (const uint16_t *)(const void *)&ring->used->ring[ring->shape.slots];
    return load_relaxed(event);
}

static enum status ring_allocate(struct virtio_ring *ring)
{
    paddr_t memory;
    size_t slot_pages = ((size_t)ring->shape.slots * ring->shape.slot_bytes + PAGE_SIZE - 1) / PAGE_SIZE;
    enum status s = page_alloc(1 + slot_pages, PAGE_SIZE, &memory);
    if (s != STATUS_OK)
        return s;
    unsigned char *page = phys_to_virt(memory);
    ring->descriptors = (struct vring_desc *)(void *)page;
    ring->available = (struct vring_avail *)(void *)(page + AVAILABLE_OFFSET);
    ring->used = (struct vring_used *)(void *)(page + USED_OFFSET);
    ring->slots = page + PAGE_SIZE;
    return STATUS_OK;
}

enum status virtio_ring_create(struct virtio_ring *ring, struct virtio_transport *t,
                               const struct virtio_ring_shape *shape)
{
    uint32_t limit = t->ops->queue_limit(t, shape->queue);
    if (limit == 0)
        return STATUS_NOT_FOUND;
    if (!is_power_of_two(limit) || limit > SIZE_LIMIT)
        return STATUS_OUT_OF_RANGE;

    *ring = (struct virtio_ring){.transport = t, .shape = *shape};
    if (limit < ring->shape.slots)
        ring->shape.slots = (uint16_t)limit;
    enum status s = ring_allocate(ring);
    if (s != STATUS_OK)
        return s;
    ring->free = UINT64_MAX >> (64 - ring->shape.slots);
    store_relaxed(&ring->available->flags, (uint16_t)(shape->event_idx ? 0 : VRING_AVAIL_F_NO_INTERRUPT));
    used_event_avoid(ring);

    struct virtio_queue_place place = {
        .descriptors = virt_to_phys(ring->descriptors),
        .available = virt_to_phys(ring->available),
        .used = virt_to_phys(ring->used),
        .queue = ring->shape.queue,
        .size = ring->shape.slots,
    };
    return t->ops->queue_enable(t, &place, &ring->doorbell);
}

bool virtio_ring_take(struct virtio_ring *ring, uint16_t *slot)
{
    if (!ring->free)
        return false;
    *slot = (uint16_t)__builtin_ctzll(ring->free);
    ring->free &= ring->free - 1;
    return true;
}

void *virtio_ring_slot(const struct virtio_ring *ring, uint16_t slot)
{
    return ring->slots + (size_t)slot * ring->shape.slot_bytes;
}

void virtio_ring_put(struct virtio_ring *ring, uint16_t slot, uint32_t bytes)
{
    ring->descriptors[slot] = (struct vring_desc){
        .addr = virt_to_phys(virtio_ring_slot(ring, slot)),
        .len = bytes,
        .flags = ring->shape.device_writes ? VRING_DESC_F_WRITE : 0,
    };
    store_relaxed(&ring->available->ring[ring->available_next & (ring->shape.slots - 1)], slot);
    ring->available_next++;
    ring->queued |= UINT64_C(1) << slot;
}

static bool device_wants_kick(const struct virtio_ring *ring, uint16_t before)
{
    if (ring->shape.event_idx)
        return vring_need_event(available_event(ring), ring->available_next, before);
    return !(load_relaxed(&ring->used->flags) & VRING_USED_F_NO_NOTIFY);
}

void virtio_ring_kick(struct virtio_ring *ring)
{
    uint16_t before = ring->available_told;
    if (ring->transport->fault || before == ring->available_next)
        return;
    store_release(&ring->available->idx, ring->available_next); /* pairs: virtio-avail */
    ring->available_told = ring->available_next;
    /* The device publishes avail_event and looks at our index once more before it sleeps; so must we, the other way
     * round, or both sides wait. */
    fence_full(); /* pairs: virtio-kick */
    if (!device_wants_kick(ring, before)) {
        ring->kicks_suppressed++;
        return;
    }
    ring->kicks++;
    if (ring->doorbell.is_32_bit)
        mmio_write32(ring->doorbell.base, ring->doorbell.offset, ring->shape.queue);
    else
        mmio_write16(ring->doorbell.base, ring->doorbell.offset, ring->shape.queue);
}

bool virtio_ring_reap(struct virtio_ring *ring, uint16_t *slot, uint32_t *bytes)
{
    if (ring->transport->fault)
        return false;
    uint16_t ready = (uint16_t)(load_acquire(&ring->used->idx) - ring->used_next); /* pairs: virtio-used */
    if (ready == 0)
        return false;
    if (ready > (uint16_t)(ring->available_told - ring->used_next)) {
        virtio_device_break(ring->transport, "used index passes what was offered");
        return false;
    }
    const struct vring_used_elem *entry = &ring->used->ring[ring->used_next & (ring->shape.slots - 1)];
    uint32_t id = load_relaxed(&entry->id), written = load_relaxed(&entry->len);
    if (id >= ring->shape.slots || !(ring->queued >> id & 1)) {
        virtio_device_break(ring->transport, "used entry names a slot the device does not hold");
        return false;
    }
    /* On transmit queues devices disagree about the length, and nothing depends on it. */
    if (ring->shape.device_writes && written > ring->shape.slot_bytes) {
        virtio_device_break(ring->transport, "used entry is longer than its slot");
        return false;
    }
    ring->queued &= ~(UINT64_C(1) << id);
    ring->used_next++;
    used_event_avoid(ring);
    *slot = (uint16_t)id;
    *bytes = written;
    return true;
}

void virtio_ring_release(struct virtio_ring *ring, uint16_t slot)
{
    ring->free |= UINT64_C(1) << slot;
}

bool virtio_ring_idle(const struct virtio_ring *ring)
{
    return ring->available_next == ring->used_next;
}
