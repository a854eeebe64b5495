/* SPDX-License-Identifier: MIT
 * From a user address to the kernel's. A process's memory is a few contiguous regions that never move, so a buffer is checked
 * by comparing ranges and then reached through the direct map: no page walk, no fault, no user pointer past this file.
 * A length of 0 touches no memory, so any address goes with it. Otherwise: null is INVALID_ARGUMENT; anything that does not
 * lie inside one region with the right access (kernel half, non-canonical, wrapping, crossing a region's end, unmapped,
 * read-only for output) is PERMISSION_DENIED. Alignment does not matter. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "sched/process.h"

/* The kernel's address of [address, address + n) if `p` may access it so (IMAGE_REGION_READ or _WRITE); NULL if not. n > 0. */
static inline char *user_range(const struct process *p, uint64_t address, uint64_t n, uint32_t access)
{
    const struct region *r = p->regions, *end = r + p->region_count;
    for (; r < end; r++) {
        uint64_t offset = address - r->base;
        if (offset < r->bytes && n <= r->bytes - offset && (r->flags & access))
            return r->kernel + offset;
    }
    return NULL;
}

/* Why user_range gave NULL. */
static inline enum status user_range_status(uint64_t address)
{
    return address ? STATUS_PERMISSION_DENIED : STATUS_INVALID_ARGUMENT;
}
