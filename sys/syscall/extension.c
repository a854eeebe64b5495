/* SPDX-License-Identifier: MIT
 * The table of descriptions that come and go. */
#include "sys/syscall/extension.h"

#include "sys/lib/string.h"

#include <arch/atomic.h>

static const struct syscall_descriptor *registered[SYSCALL_MAX]; /* [a] by number - SYSCALL_BUILT_IN */

static bool makes_sense(const struct syscall_descriptor *d)
{
    if (!d || !d->name || !d->handle || d->count > SYSCALL_ARGUMENTS || (d->count && !d->kinds))
        return false;
    for (uint32_t i = 0; i < d->count; i++) {
        uint8_t kind = d->kinds[i].kind;
        bool buffer = kind >= ARGUMENT_IN && kind <= ARGUMENT_OUT_PIECES;
        if (kind > ARGUMENT_DEADLINE || (buffer && (i + 1 == d->count || d->kinds[i + 1].kind != ARGUMENT_LENGTH)))
            return false;
    }
    return true;
}

enum status syscall_register(uint32_t number, const struct syscall_descriptor *d)
{
    const struct syscall_descriptor *nobody = NULL;
    if (number >= SYSCALL_MAX)
        return STATUS_OUT_OF_RANGE;
    if (number < SYSCALL_BUILT_IN)
        return STATUS_ALREADY_EXISTS;
    if (!makes_sense(d))
        return STATUS_INVALID_ARGUMENT;
    return cmpxchg_acqrel(&registered[number - SYSCALL_BUILT_IN], &nobody, d) ? STATUS_OK /* pairs: extension */
                                                                              : STATUS_ALREADY_EXISTS;
}

enum status syscall_unregister(uint32_t number)
{
    if (number >= SYSCALL_MAX)
        return STATUS_OUT_OF_RANGE;
    if (number < SYSCALL_BUILT_IN)
        return STATUS_PERMISSION_DENIED;
    return xchg_acqrel(&registered[number - SYSCALL_BUILT_IN], NULL) ? STATUS_OK : STATUS_NOT_FOUND;
}

static const struct syscall_descriptor *find(uint64_t number)
{
    if (number < SYSCALL_BUILT_IN || number >= SYSCALL_MAX)
        return NULL;
    uint64_t index = index_mask(number - SYSCALL_BUILT_IN, SYSCALL_MAX - 1);
    return load_acquire(&registered[index]); /* pairs: extension */
}

const char *syscall_name(uint32_t number)
{
    static const char *const names[] = {
#define DEFINE_SYSCALL(number, name, ...) #name,
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL
    };
    if (number < SYSCALL_BUILT_IN)
        return names[number];
    const struct syscall_descriptor *d = find(number);
    return d ? d->name : NULL;
}

enum status syscall_lookup(const char *name, size_t n, uint32_t *number)
{
    for (uint32_t i = 0; i < SYSCALL_MAX; i++) {
        const char *here = syscall_name(i);
        if (here && bytes_are(name, n, here)) {
            *number = i;
            return STATUS_OK;
        }
    }
    return STATUS_NOT_FOUND;
}

struct result extension_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                             uint64_t number)
{
    const struct syscall_descriptor *d = find(number);
    if (!d)
        return result_of(STATUS_UNIMPLEMENTED);
    struct syscall_args args = {
        .process = sched_current()->process, .kinds = d->kinds, .count = d->count, .value = {a0, a1, a2, a3, a4, a5}};
    enum status s = arguments_check(args.process, d->kinds, d->count, args.value);
    return s == STATUS_OK ? d->handle(&args) : result_of(s);
}
