/* SPDX-License-Identifier: MIT
 * The page of stolen time. It holds nothing else, since processes see all of it. */
#include "arch/x86_64/steal.h"

#include "sys/abi/vvar.h"

#include <arch/percpu.h>

/* The hypervisor writes. */
static char areas[PAGE_SIZE / STEAL_AREA_BYTES][STEAL_AREA_BYTES] __attribute__((aligned(PAGE_SIZE)));
static uint32_t offset = VVAR_NO_STEAL; /* [I] after boot */
_Static_assert(sizeof areas == PAGE_SIZE && sizeof areas / sizeof areas[0] >= CPU_MAX, "a whole page, with room");

void *steal_area(uint32_t cpu)
{
    return areas[cpu];
}

void steal_set_offset(uint32_t bytes)
{
    offset = bytes;
}

uint32_t steal_offset(void)
{
    return offset;
}

paddr_t steal_page(void)
{
    return virt_to_phys(areas);
}
