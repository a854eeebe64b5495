/* SPDX-License-Identifier: MIT
 * The page in which a hypervisor counts, for each CPU, the time that it was ready to run and did not: one area of
 * STEAL_AREA_BYTES (sys/abi/vvar.h) for each CPU, in the hypervisor's own layout. Every process sees the page,
 * read-only, at USER_STEAL_BASE; where in an area the nanoseconds are, 64 bits, stands in its vvar. */
#pragma once
#include <stdint.h>

#include <arch/memory.h>

/* The CPU's area, aligned to its size, for whoever tells the hypervisor of it; zero so far. `cpu` is below CPU_MAX. */
void *steal_area(uint32_t cpu);

/* The hypervisor has taken the areas: the nanoseconds are at `offset` in each. Boot CPU, before processes are loaded.
 */
void steal_set_offset(uint32_t offset);

/* VVAR_NO_STEAL: nobody counts. */
uint32_t steal_offset(void);

/* Of the whole page. */
paddr_t steal_page(void);
