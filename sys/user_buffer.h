/* SPDX-License-Identifier: MIT
 * From a user address to the kernel's. A process's memory is a few contiguous regions that never move, so a buffer is
 * checked by comparing ranges and then reached through the direct map: no page walk, no fault, no user pointer past
 * this file. A length of 0 touches no memory, so any address goes with it. Otherwise: null is INVALID_ARGUMENT;
 * anything that does not lie inside one region with the right access (kernel half, non-canonical, wrapping, crossing a
 * region's end, unmapped, read-only for output) is PERMISSION_DENIED. Alignment does not matter. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "sched/process.h"

/* Index into process.hot, and the access that the region must allow. */
enum user_access { USER_IN, USER_OUT };

/* Turns [*address, + n), n > 0, into the kernel's address: looks through all regions and remembers the one. */
enum status user_range_search(struct process *p, uint64_t *address, uint64_t n, enum user_access access);

static inline bool region_holds(const struct region *r, uint64_t address, uint64_t n)
{
    uint64_t left = r->end - address; /* 1 .. bytes if the address is inside, whatever it is otherwise */
    return left - 1 < r->bytes && n <= left;
}

/* As user_range_search; two buffers in the region of the last call cost a comparison. Nothing is checked for n = 0. */
static inline __attribute__((always_inline)) enum status user_range(struct process *p, uint64_t *address, uint64_t n,
                                                                    enum user_access access)
{
    const struct region *r = &p->hot[access];
    if (!n)
        return STATUS_OK;
    if (__builtin_expect(!region_holds(r, *address, n), 0))
        return user_range_search(p, address, n, access);
    *address += r->to_kernel;
    return STATUS_OK;
}

/* A text of at most `most` bytes with its NUL. OUT_OF_RANGE: none ends within them, or before the end of the region. */
enum status user_string(struct process *p, uint64_t *address, uint64_t most);
