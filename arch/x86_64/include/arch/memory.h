/* SPDX-License-Identifier: MIT
 * Physical memory as the kernel sees it: all RAM through one direct map, devices through mmio_map. */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t;
typedef uint64_t vaddr_t;

#define PAGE_SIZE 4096u
#define DIRECT_MAP_BASE UINT64_C(0xffff800000000000)
#define KERNEL_BASE UINT64_C(0xffffffff80000000) /* link address of physical 0 */

/* The kernel's pointer to physical memory. The first 4 GiB and all RAM are mapped; boot tables can be read through it.
 */
static inline void *phys_to_virt(paddr_t p)
{
    return (void *)(DIRECT_MAP_BASE + p);
}

/* Inverse of phys_to_virt; also takes addresses inside the kernel's own ELF. */
static inline paddr_t virt_to_phys(const void *v)
{
    uint64_t a = (uint64_t)v;
    return a >= KERNEL_BASE ? a - KERNEL_BASE : a - DIRECT_MAP_BASE;
}

/* Maps device registers uncached for ever; NULL if `bytes` is 0, the range wraps, or the tables are exhausted. Boot
 * only. */
void *mmio_map(paddr_t p, size_t bytes);

/* The same, cached, for memory that a hypervisor put where the boot map has none, and shares. */
void *shared_map(paddr_t p, size_t bytes);
