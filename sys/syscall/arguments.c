/* SPDX-License-Identifier: MIT
 * The decoder for any description. */
#include "sys/syscall/arguments.h"

#include "sys/abi/piece.h"
#include "sys/lib/string.h"

#include <arch/percpu.h>

_Static_assert(USER_PIECES_MAX == PIECES_MAX, "one limit");

/* Of the call under way: what is read, what is written. [o] */
static PERCPU_ZERO(struct pieces, pieces)[2];

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

/* One of two types. */
static enum status check_either(const struct process *p, const struct syscall_argument *d, uint64_t *a)
{
    struct object *o;
    enum status s = handle_find(p, *a, d->type, &o);
    if (s == STATUS_UNIMPLEMENTED)
        s = handle_find(p, *a, d->least, &o);
    *a = (uint64_t)o;
    return s;
}

static enum status check_buffer(struct process *p, const struct syscall_argument *d, uint64_t *a)
{
    if (d->most != ARGUMENT_ANY_LENGTH && a[1] > d->most)
        return STATUS_OUT_OF_RANGE;
    return user_range(p, a, a[1], argument_access(d->kind));
}

/* Copied first, then checked: what the process does with its vector afterwards changes nothing. */
static enum status check_pieces(struct process *p, const struct syscall_argument *d, uint64_t *a)
{
    uint64_t count = -a[1];
    if ((int64_t)a[1] >= 0)
        return check_buffer(p, d, a);
    if (count > USER_PIECES_MAX)
        return STATUS_OUT_OF_RANGE;
    enum user_access access = argument_access(d->kind);
    struct user_piece vector[USER_PIECES_MAX];
    enum status s = user_range(p, a, count * sizeof(vector[0]), USER_IN);
    if (s != STATUS_OK)
        return s;
    memcpy(vector, (const void *)a[0], count * sizeof(vector[0]));
    struct pieces *to = &(*this_cpu_ptr(pieces))[access];
    *to = (struct pieces){.count = (uint32_t)count};
    for (uint64_t i = 0; i < count && s == STATUS_OK; i++) {
        s = user_range(p, &vector[i].address, vector[i].bytes, access);
        to->piece[i] = (struct piece){(char *)vector[i].address, vector[i].bytes};
        to->total += vector[i].bytes;
    }
    a[0] = (uint64_t)to;
    return s;
}

static enum status check(struct process *p, const struct syscall_argument *d, uint64_t *a)
{
    switch (d->kind) {
    case ARGUMENT_HANDLE:
        return check_handle(p, d, a);
    case ARGUMENT_EITHER:
    case ARGUMENT_END:
        return check_either(p, d, a);
    case ARGUMENT_IN_OR_NULL:
        return *a ? check_buffer(p, d, a) : STATUS_OK;
    case ARGUMENT_IN:
    case ARGUMENT_OUT:
        return check_buffer(p, d, a);
    case ARGUMENT_IN_PIECES:
    case ARGUMENT_OUT_PIECES:
        return check_pieces(p, d, a);
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
