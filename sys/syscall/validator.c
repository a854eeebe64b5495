/* SPDX-License-Identifier: MIT
 * The builder around the checks of arguments.c and user_buffer.c. */
#include "sys/syscall/validator.h"

void *validator_ptr(struct validator *v, uint64_t address, uint64_t n, bool writable)
{
    if (v->status == STATUS_OK)
        v->status = user_range(v->process, &address, n, writable ? USER_OUT : USER_IN);
    return v->status == STATUS_OK ? (void *)address : NULL;
}

const char *validator_string(struct validator *v, uint64_t address, uint64_t most)
{
    if (v->status == STATUS_OK)
        v->status = user_string(v->process, &address, most);
    return v->status == STATUS_OK ? (const char *)address : NULL;
}

struct object *validator_handle(struct validator *v, uint64_t handle, uint32_t type)
{
    struct object *o = NULL;
    if (v->status == STATUS_OK)
        v->status = handle_find(v->process, handle, type, &o);
    return o;
}

void validator_fd(struct validator *v, uint64_t value, uint64_t limit)
{
    if (v->status == STATUS_OK)
        v->status = value < limit ? STATUS_OK : STATUS_OUT_OF_RANGE;
}

void validator_flags(struct validator *v, uint64_t value, uint64_t allowed)
{
    if (v->status == STATUS_OK)
        v->status = argument_flags(value, allowed);
}

void validator_range(struct validator *v, uint64_t value, uint64_t least, uint64_t most)
{
    if (v->status == STATUS_OK)
        v->status = argument_range(value, least, most);
}

void validator_deadline(struct validator *v, uint64_t ns)
{
    (void)v, (void)ns;
}
