/* SPDX-License-Identifier: MIT
 * One ring by itself: sizes, slot states and the decision to kick, with the test as the device at the other end. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "drivers/virtio/ring.h"

#include <arch/atomic.h>
#include <arch/io.h>
#include <arch/memory.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include "mm/page.h"

static unsigned char memory[64 * 4096] __attribute__((aligned(4096)));
static uint64_t ram_next = 0x100000;
static uint32_t limit = 128;
static enum status enable_status;
static struct virtio_queue_place place;
static unsigned doorbells;
static struct virtio_ring ring;

enum status page_alloc(size_t count, size_t align_bytes, paddr_t *out)
{
    if (align_bytes != PAGE_SIZE || count > (0x100000 + sizeof memory - ram_next) / PAGE_SIZE)
        return STATUS_RESOURCE_EXHAUSTED;
    *out = ram_next;
    ram_next += count * PAGE_SIZE;
    return STATUS_OK;
}

void mmio_write16(void *base, uint32_t offset, uint16_t v)
{
    cr_assert(eq(ptr, base, memory));
    cr_assert(eq(u32, offset, 8));
    cr_assert(eq(u16, v, 5));
    doorbells++;
}

void mmio_write32(void *base, uint32_t offset, uint32_t v)
{
    mmio_write16(base, offset, (uint16_t)v);
}

void virtio_device_break(struct virtio_transport *t, const char *why)
{
    t->fault = why;
}

static uint32_t queue_limit(struct virtio_transport *t, uint16_t queue)
{
    (void)t;
    cr_assert(eq(u16, queue, 5));
    return limit;
}

static enum status queue_enable(struct virtio_transport *t, const struct virtio_queue_place *p,
                                struct virtio_doorbell *out)
{
    (void)t;
    place = *p;
    *out = (struct virtio_doorbell){ .base = memory, .offset = 8 };
    return enable_status;
}

static const struct virtio_transport_ops ops = { .queue_limit = queue_limit, .queue_enable = queue_enable };
static struct virtio_transport transport = { .ops = &ops };

static enum status create(uint16_t slots, bool event_idx)
{
    struct virtio_ring_shape shape = { .queue = 5, .slots = slots, .slot_bytes = 512, .event_idx = event_idx };
    return virtio_ring_create(&ring, &transport, &shape);
}

static void place_memory(void)
{
    test_phys = memory;
    test_phys_base = 0x100000;
    test_phys_bytes = sizeof memory;
}

TestSuite(ring, .init = place_memory, .timeout = 20);

static void put_one(void)
{
    uint16_t slot = 0;
    cr_assert(virtio_ring_take(&ring, &slot));
    virtio_ring_put(&ring, slot, 1);
}

static void avail_event_set(uint16_t event)
{
    memcpy(&ring.used->ring[ring.shape.slots], &event, sizeof event);
}

/* The device uses the slot of the entry at its own index. */
static void device_use(void)
{
    uint16_t index = ring.used->idx;
    ring.used->ring[index % ring.shape.slots].id = ring.available->ring[index % ring.shape.slots];
    store_release(&ring.used->idx, (uint16_t)(index + 1)); /* pairs: virtio-used */
}

Test(ring, size_is_the_smaller_of_both)
{
    cr_assert(eq(int, create(64, true), STATUS_OK));
    cr_assert(eq(u16, place.size, 64));
    limit = 4;
    cr_assert(eq(int, create(64, true), STATUS_OK));
    cr_assert(eq(u16, place.size, 4));
    limit = 32768;
    cr_assert(eq(int, create(8, true), STATUS_OK));
    cr_assert(eq(u16, place.size, 8));
}

Test(ring, bad_sizes_and_failures)
{
    static const uint32_t bad[] = { 3, 24, 65535, 65536, UINT32_MAX };
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        limit = bad[n];
        cr_assert(eq(int, create(64, true), STATUS_OUT_OF_RANGE));
    }
    limit = 0;
    cr_assert(eq(int, create(64, true), STATUS_NOT_FOUND));
    cr_assert(eq(u64, ram_next, 0x100000), "nothing allocated for a queue that is refused");
    limit = 64;
    enable_status = STATUS_OUT_OF_RANGE;
    cr_assert(eq(int, create(64, true), STATUS_OUT_OF_RANGE));
    ram_next = 0x100000 + sizeof memory;
    cr_assert(eq(int, create(64, true), STATUS_RESOURCE_EXHAUSTED));
}

Test(ring, parts_are_aligned_and_apart)
{
    cr_assert(eq(int, create(64, true), STATUS_OK));
    cr_assert(zero(u64, place.descriptors % 16 + place.available % 2 + place.used % 4));
    cr_assert(place.available >= place.descriptors + 64 * 16);
    cr_assert(place.used >= place.available + 6 + 2 * 64);
    cr_assert(virt_to_phys(ring.slots) >= place.used + 6 + 8 * 64);
}

Test(ring, all_slots_once)
{
    uint64_t seen = 0;
    uint16_t slot;
    cr_assert(eq(int, create(64, true), STATUS_OK));
    while (virtio_ring_take(&ring, &slot))
        seen += UINT64_C(1) << slot;
    cr_assert(eq(u64, seen, UINT64_MAX));
    virtio_ring_release(&ring, 17);
    cr_assert(virtio_ring_take(&ring, &slot));
    cr_assert(eq(u16, slot, 17));
}

Test(ring, nothing_is_seen_before_the_kick)
{
    cr_assert(eq(int, create(8, true), STATUS_OK));
    virtio_ring_kick(&ring);
    cr_assert(zero(u32, doorbells));
    put_one();
    put_one();
    cr_assert(zero(u16, ring.available->idx));
    virtio_ring_kick(&ring);
    cr_assert(eq(u16, load_acquire(&ring.available->idx), 2)); /* pairs: virtio-avail */
    cr_assert(eq(u32, doorbells, 1));
    cr_assert(not(virtio_ring_idle(&ring)));
}

/* With EVENT_IDX a kick is due exactly when the published index passes avail_event. */
Test(ring, kick_when_avail_event_is_passed)
{
    cr_assert(eq(int, create(8, true), STATUS_OK));
    avail_event_set(1);
    put_one();
    virtio_ring_kick(&ring); /* index 1: entry 1 is not there yet */
    cr_assert(zero(u32, doorbells));
    put_one();
    virtio_ring_kick(&ring); /* index 2 */
    cr_assert(eq(u32, doorbells, 1));
    put_one();
    virtio_ring_kick(&ring); /* avail_event stands: already told */
    cr_assert(eq(u32, doorbells, 1));
    avail_event_set(4);
    put_one();
    put_one();
    put_one();
    virtio_ring_kick(&ring); /* from 3 to 6 in one go */
    cr_assert(eq(u32, doorbells, 2));
    cr_assert(eq(u64, ring.kicks, 2));
    cr_assert(eq(u64, ring.kicks_suppressed, 2));
}

Test(ring, flags_decide_without_event_idx)
{
    cr_assert(eq(int, create(8, false), STATUS_OK));
    cr_assert(eq(u16, ring.available->flags, VRING_AVAIL_F_NO_INTERRUPT));
    ring.used->flags = VRING_USED_F_NO_NOTIFY;
    put_one();
    virtio_ring_kick(&ring);
    cr_assert(zero(u32, doorbells));
    ring.used->flags = 0;
    put_one();
    virtio_ring_kick(&ring);
    cr_assert(eq(u32, doorbells, 1));
}

Test(ring, with_event_idx_flags_stay_zero)
{
    cr_assert(eq(int, create(8, true), STATUS_OK));
    cr_assert(zero(u16, ring.available->flags));
}

Test(ring, indices_wrap_and_kicks_go_on)
{
    uint16_t slot;
    uint32_t bytes;
    cr_assert(eq(int, create(2, true), STATUS_OK));
    for (unsigned n = 0; n < 140000; n++) {
        avail_event_set((uint16_t)n);
        put_one();
        virtio_ring_kick(&ring);
        device_use();
        cr_assert(virtio_ring_reap(&ring, &slot, &bytes));
        virtio_ring_release(&ring, slot);
        cr_assert(virtio_ring_idle(&ring));
    }
    cr_assert(eq(u32, doorbells, 140000));
}

/* An entry may only come back once it was published, even if its slot is already filled in. */
Test(ring, used_before_published)
{
    uint16_t slot;
    uint32_t bytes;
    cr_assert(eq(int, create(8, true), STATUS_OK));
    put_one();
    device_use();
    cr_assert(not(virtio_ring_reap(&ring, &slot, &bytes)));
    cr_assert(not(zero(ptr, (void *)(uintptr_t)transport.fault)));
}

/* Nothing of a used ring is believed once its index is impossible, not even entries that look right. */
Test(ring, used_index_jumps)
{
    uint16_t slot;
    uint32_t bytes;
    cr_assert(eq(int, create(8, true), STATUS_OK));
    put_one();
    put_one();
    virtio_ring_kick(&ring);
    device_use();
    device_use();
    store_release(&ring.used->idx, (uint16_t)3); /* pairs: virtio-used */
    cr_assert(not(virtio_ring_reap(&ring, &slot, &bytes)));
    cr_assert(not(zero(ptr, (void *)(uintptr_t)transport.fault)));
}

Test(ring, a_broken_device_gets_no_kicks)
{
    cr_assert(eq(int, create(8, true), STATUS_OK));
    put_one();
    transport.fault = "test";
    virtio_ring_kick(&ring);
    cr_assert(zero(u32, doorbells));
    cr_assert(zero(u16, ring.available->idx));
}
