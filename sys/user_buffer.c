/* SPDX-License-Identifier: MIT
 * The search behind user_range. */
#include "sys/user_buffer.h"

enum status user_range_search(struct process *p, uint64_t *address, uint64_t n, enum user_access access)
{
    uint32_t need = access == USER_OUT ? IMAGE_REGION_WRITE : IMAGE_REGION_READ;
    for (uint32_t i = 0; i < p->region_count; i++) {
        const struct region *r = &p->regions[i];
        if (region_holds(r, *address, n) && (r->flags & need)) {
            p->hot[access] = *r;
            *address += r->to_kernel;
            return STATUS_OK;
        }
    }
    return *address ? STATUS_PERMISSION_DENIED : STATUS_INVALID_ARGUMENT;
}
