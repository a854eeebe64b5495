/* SPDX-License-Identifier: MIT
 * Device memory is in no region of its process, so no buffer of a system call ever lies in it. */
#include "sys/device.h"

#include "arch/x86_64/paging.h"
#include "sys/image.h"
#include "sys/lib/log.h"

static const struct memory_map *memory; /* [I] */
static paddr_t own_pages[2];            /* [I] 0 stands for none, and nobody gets that page either */

void device_init(const struct memory_map *map, paddr_t lapic, paddr_t hpet)
{
    memory = map;
    own_pages[0] = lapic & ~(paddr_t)(PAGE_SIZE - 1);
    own_pages[1] = hpet & ~(paddr_t)(PAGE_SIZE - 1);
}

/* [a, + a_bytes) and [b, + b_bytes) meet; neither wraps but for an entry of the map, which then has no end. */
static bool meet(paddr_t a, uint64_t a_bytes, paddr_t b, uint64_t b_bytes)
{
    return a <= b ? b - a < a_bytes : a - b < b_bytes;
}

const char *device_refusal(paddr_t physical, uint64_t bytes)
{
    for (size_t i = 0; i < memory->count; i++) {
        const struct memory_range *r = &memory->ranges[i];
        const bool is_memory =
            r->type == MEMORY_RAM || r->type == MEMORY_ACPI || r->type == MEMORY_NVS || r->type == MEMORY_UNUSABLE;
        if (is_memory && meet(physical, bytes, r->base, r->bytes))
            return "there is RAM";
    }
    for (size_t i = 0; i < sizeof own_pages / sizeof own_pages[0]; i++)
        if (meet(physical, bytes, own_pages[i], PAGE_SIZE))
            return "there are registers of the kernel";
    return paging_has_registers(physical, bytes) ? "there are registers of the kernel" : NULL;
}

static enum status load_memory(const struct image_device *d, paddr_t root, const struct process *p)
{
    const char *why = device_refusal(d->physical, d->bytes);
    if (why) {
        log_error("device memory %#lx to %#lx of process '%s' refused: %s", d->physical, d->physical + d->bytes - 1,
                  p->name, why);
        return STATUS_PERMISSION_DENIED;
    }
    return paging_map(root, d->address, d->physical, d->bytes, PAGE_USER | PAGE_WRITE | PAGE_UNCACHED);
}

enum status device_load(const struct image_header *image, const struct image_process *from, paddr_t root,
                        struct process *p)
{
    p->devices = image_devices(image) + from->first_device;
    p->device_count = from->devices;
    enum status s = STATUS_OK;
    for (uint32_t i = 0; s == STATUS_OK && i < p->device_count; i++)
        if (p->devices[i].kind == IMAGE_DEVICE_MEMORY)
            s = load_memory(&p->devices[i], root, p);
    return s;
}
