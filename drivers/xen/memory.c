/* SPDX-License-Identifier: MIT
 * XENMEM_memory_map: entries in the form of the BIOS's E820, 20 bytes each. */
#include "drivers/xen/memory.h"

#include "drivers/xen/abi.h"
#include <arch/xen_hypercall.h>

#define ENTRIES_MAX MEMORY_RANGES_MAX

struct e820_entry {
    uint64_t base, bytes;
    uint32_t type;
} __attribute__((packed));
_Static_assert(sizeof(struct e820_entry) == 20, "E820 layout");

enum status xen_memory_map(struct boot_info *boot)
{
    static struct e820_entry entries[ENTRIES_MAX];
    struct xen_memory_map map = {.nr_entries = ENTRIES_MAX};
    set_xen_guest_handle(map.buffer, entries);
    if (xen_hypercall(__HYPERVISOR_memory_op, XENMEM_memory_map, &map, 0) != 0 || map.nr_entries > ENTRIES_MAX)
        return STATUS_UNAVAILABLE;
    for (uint32_t i = 0; i < map.nr_entries; i++)
        boot_info_add_memory(boot, entries[i].base, entries[i].bytes, entries[i].type);
    return STATUS_OK;
}
