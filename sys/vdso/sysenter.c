/* SPDX-License-Identifier: MIT
 * The search for SYSENTER, byte by byte. */
#include "sys/vdso/sysenter.h"

#include <stdbool.h>

/* The kernel's address of a byte of the region. */
static const unsigned char *at(const struct region *r, uint64_t address)
{
    return (const unsigned char *)(address + r->to_kernel);
}

static bool is_sysenter(unsigned char first, unsigned char second)
{
    return first == 0x0f && second == 0x34;
}

uint64_t sysenter_find(const struct region *regions, uint32_t count)
{
    for (const struct region *r = regions; r < regions + count; r++) {
        if (!(r->flags & IMAGE_REGION_EXECUTE))
            continue;
        uint64_t address = r->end - r->bytes;
        for (; address < r->end - 1; address++)
            if (is_sysenter(*at(r, address), *at(r, address + 1)))
                return address;
        const struct region *next = r + 1;
        if (next < regions + count && next->flags & IMAGE_REGION_EXECUTE && next->end - next->bytes == r->end &&
            is_sysenter(*at(r, address), *at(next, r->end)))
            return address;
    }
    return 0;
}
