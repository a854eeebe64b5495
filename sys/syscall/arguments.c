/* SPDX-License-Identifier: MIT
 * The decoder for any description. */
#include "sys/syscall/arguments.h"

enum status handle_find(const struct process *p, uint64_t handle, uint32_t type, struct object **to)
{
    *to = handle_peek(p, handle, type);
    if (*to)
        return STATUS_OK;
    return handle < p->object_count ? STATUS_UNIMPLEMENTED : STATUS_OUT_OF_RANGE;
}

static enum status check_handle(const struct process *p, const struct syscall_argument *d, uint64_t *a)
{
    struct object *o;
    enum status s = handle_find(p, *a, d->type, &o);
    *a = (uint64_t)o;
    return s;
}

static enum status check_buffer(struct process *p, const struct syscall_argument *d, uint64_t *a)
{
    if (d->most != ARGUMENT_ANY_LENGTH && a[1] > d->most)
        return STATUS_OUT_OF_RANGE;
    return user_range(p, a, a[1], d->kind == ARGUMENT_OUT ? USER_OUT : USER_IN);
}

static enum status check(struct process *p, const struct syscall_argument *d, uint64_t *a)
{
    switch (d->kind) {
    case ARGUMENT_HANDLE:
        return check_handle(p, d, a);
    case ARGUMENT_IN_OR_NULL:
        return *a ? check_buffer(p, d, a) : STATUS_OK;
    case ARGUMENT_IN:
    case ARGUMENT_OUT:
        return check_buffer(p, d, a);
    case ARGUMENT_STRING:
        return user_string(p, a, d->most);
    case ARGUMENT_FLAGS:
        return argument_flags(*a, d->most);
    case ARGUMENT_RANGE:
        return argument_range(*a, d->least, d->most);
    default:
        return STATUS_OK;
    }
}

enum status arguments_check(struct process *p, const struct syscall_argument *d, uint32_t count,
                            uint64_t a[SYSCALL_ARGUMENTS])
{
    enum status s = STATUS_OK;
    for (uint32_t i = 0; i < count && s == STATUS_OK; i++)
        s = check(p, &d[i], &a[i]);
    return s;
}
