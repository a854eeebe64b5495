/* SPDX-License-Identifier: MIT
 * The search behind user_range, and texts. */
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

enum status user_string(struct process *p, uint64_t *address, uint64_t most)
{
    uint64_t start = *address;
    enum status s = user_range(p, address, 1, USER_IN);
    if (s != STATUS_OK)
        return s;
    uint64_t left = p->hot[USER_IN].end - start;
    const char *text = (const char *)*address;
    for (uint64_t i = 0; i < most && i < left; i++)
        if (!text[i])
            return STATUS_OK;
    return STATUS_OUT_OF_RANGE;
}
