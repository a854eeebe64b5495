/* SPDX-License-Identifier: MIT
 * The kernel's decoder of a system image (layout: sys/abi/image.h). image_check is the only judge: who holds a header
 * that it gave out may follow every index, offset and address in it without another test. Nothing is copied or changed;
 * the bytes stay where the boot loader or the linker put them, and nobody may write to them after the check.
 * Deliberately absent: whether the CPUs, the memory, the devices and the interrupts exist, which the loader finds out. */
#pragma once
#include <stdint.h>
#include "sys/abi/image.h"
#include "sys/abi/status.h"

/* Judges `size` bytes at `bytes` (8-aligned). OK: *out is the header, at `bytes` itself. DATA_LOSS: cut short or wrong
 * checksum. INVALID_ARGUMENT: anything else. On an error *why is one short sentence for the log and *out is untouched;
 * on OK *why is NULL. Boot CPU only. Reads each byte once for the checksum; the rest is linear in the table entries. */
enum status image_check(const void *bytes, uint64_t size, const struct image_header **out, const char **why);

/* The tables of a checked image, with as many entries as the header says. Any context. */
static inline const struct image_process *image_processes(const struct image_header *h)
{
    return (const struct image_process *)(const void *)((const unsigned char *)h + h->processes_offset);
}

static inline const struct image_thread *image_threads(const struct image_header *h)
{
    return (const struct image_thread *)(const void *)((const unsigned char *)h + h->threads_offset);
}

static inline const struct image_object *image_objects(const struct image_header *h)
{
    return (const struct image_object *)(const void *)((const unsigned char *)h + h->objects_offset);
}

static inline const struct image_region *image_regions(const struct image_header *h)
{
    return (const struct image_region *)(const void *)((const unsigned char *)h + h->regions_offset);
}

static inline const struct image_interrupt *image_interrupts(const struct image_header *h)
{
    return (const struct image_interrupt *)(const void *)((const unsigned char *)h + h->interrupts_offset);
}

static inline const struct image_device *image_devices(const struct image_header *h)
{
    return (const struct image_device *)(const void *)((const unsigned char *)h + h->devices_offset);
}

static inline const struct image_subscription *image_subscriptions(const struct image_header *h)
{
    return (const struct image_subscription *)(const void *)((const unsigned char *)h + h->subscriptions_offset);
}

/* The bytes a region starts with (region->file_bytes of them); the rest of it is zero. Any context. */
static inline const void *image_region_bytes(const struct image_header *h, const struct image_region *region)
{
    return (const unsigned char *)h + region->file_offset;
}
