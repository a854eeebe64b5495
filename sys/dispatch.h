/* SPDX-License-Identifier: MIT
 * The system calls as entry.S sees them: a table of handlers and a table of legal return addresses, both by number,
 * both made from sys/abi/syscalls.def. A handler gets six raw register values and decides everything; handlers return
 * the result of whichever thread is current then. */
#pragma once
#include <stdint.h>
#include "ipc/endpoint.h"
#include "ipc/object.h"
#include "sched/sched.h"

#define SYSCALL_MAX 512

typedef struct result (*syscall_handler)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

#define DEFINE_SYSCALL(number, name, count, ...)                                                                       \
    struct result sys_##name(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL

/* A call that did not come from the vDSO's instruction for its number: stops the process. From entry.S. */
_Noreturn void syscall_bad_origin(void);

/* The object behind a handle if it has this type, otherwise NULL. */
static inline struct object *handle_peek(const struct process *p, uint64_t handle, enum image_object_type type)
{
    if (handle >= p->object_count || p->objects[handle]->type != type)
        return NULL;
    return p->objects[handle];
}

/* The same, and why not. */
static inline struct object *handle_lookup(const struct process *p, uint64_t handle, enum image_object_type type,
                                           enum status *status)
{
    struct object *o = handle_peek(p, handle, type);
    if (__builtin_expect(!o, 0))
        *status = handle >= p->object_count ? STATUS_OUT_OF_RANGE : STATUS_UNIMPLEMENTED;
    return o;
}
