/* SPDX-License-Identifier: MIT
 * What processes may touch of the machine: device memory, mapped uncached into their slots, and ports (sys/port.h). The
 * image says who gets what. The kernel refuses only what would give a process the kernel: RAM, and the registers that
 * the kernel itself uses. Whoever writes an image that gives a process a device that can do DMA trusts that process
 * with the whole machine: there is no IOMMU here. Boot CPU only. */
#pragma once
#include <arch/memory.h>
#include <stdint.h>
#include "mm/page.h"
#include "sched/process.h"
#include "sys/abi/image.h"
#include "sys/abi/status.h"

struct image_header;

/* The boot memory map (it stays valid), and places that the kernel may use without having mapped them; 0: none. */
void device_init(const struct memory_map *map, paddr_t lapic, paddr_t hpet);

/* Why no process can have [physical, + bytes), whole pages, or NULL. */
const char *device_refusal(paddr_t physical, uint64_t bytes);

/* Gives a process its devices: maps memory below `root`. PERMISSION_DENIED, and it is logged; RESOURCE_EXHAUSTED. */
enum status device_load(const struct image_header *image, const struct image_process *from, paddr_t root,
                        struct process *p);
