/* SPDX-License-Identifier: MIT
 * Page tables. The kernel half is built once, before other CPUs start, and shared by all address spaces; a user half is
 * built when its process is created and never changes, so nothing is ever flushed. Boot CPU only, before page_seal. */
#pragma once
#include <arch/memory.h>
#include <stdbool.h>
#include "mm/page.h"
#include "sys/abi/status.h"

#define PAGE_WRITE 1u
#define PAGE_EXECUTE 2u
#define PAGE_USER 4u
#define PAGE_UNCACHED 8u

extern paddr_t paging_root; /* [I] */

/* Builds the kernel's own tables: ELF sections with their permissions, a direct map of RAM (the kernel's read-only
 * pages are read-only there as well), and leaves the boot tables. */
void paging_init(const struct memory_map *map);

/* Loads the kernel's tables and the CPU's protection bits: on each CPU. */
void paging_activate(void);

/* A page-table root with the kernel half filled in; RESOURCE_EXHAUSTED without memory. */
enum status paging_create(paddr_t *root);

/* Maps [v, v + bytes) to [p, ...), page multiples; PAGE_* flags; INVALID_ARGUMENT if writable and executable. */
enum status paging_map(paddr_t root, vaddr_t v, paddr_t p, uint64_t bytes, uint32_t flags);

/* The kernel has mapped device registers in [p, p + bytes) for itself. */
bool paging_has_registers(paddr_t p, uint64_t bytes);

/* CR3 value for address-space number `index` (a PCID when the CPU has them). */
uint64_t paging_cr3(paddr_t root, uint32_t index);

/* Kernel-only memory with an unmapped page on either side; returns its upper end. For stacks. */
void *paging_guarded_stack(size_t bytes);
