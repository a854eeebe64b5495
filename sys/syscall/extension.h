/* SPDX-License-Identifier: MIT
 * System calls that come and go while the machine runs: any number below SYSCALL_MAX that no row of
 * sys/abi/syscalls.def has. A number is one word, NULL or its description; changing it is one atomic operation, so any
 * CPU may do it while others call. A call that is under way when its number is unregistered ends as usual (kernel code
 * never goes away); the next one is UNIMPLEMENTED. Descriptions are constants. */
#pragma once
#include <stdbool.h>
#include "sys/syscall/arguments.h"
#include "sys/syscall/table.h"

/* The decoded arguments of a call. Nothing beyond `count` can be had. */
struct syscall_args {
    struct process *process; /* whose call it is */
    const struct syscall_argument *kinds;
    uint32_t count;
    uint64_t value[SYSCALL_ARGUMENTS];
};

/* False, and *value untouched, if there is no such argument. */
static inline bool syscall_args_get(const struct syscall_args *args, uint32_t index, uint64_t *value)
{
    if (index >= args->count)
        return false;
    *value = args->value[index];
    return true;
}

/* The kernel's address of a buffer that may be read, or written; NULL if the argument is no such buffer. */
static inline const void *syscall_args_as_ptr(const struct syscall_args *args, uint32_t index)
{
    if (index >= args->count)
        return NULL;
    uint8_t kind = args->kinds[index].kind;
    bool in = kind == ARGUMENT_IN || kind == ARGUMENT_IN_OR_NULL || kind == ARGUMENT_STRING;
    return in ? (const void *)args->value[index] : NULL;
}
static inline void *syscall_args_as_mut_ptr(const struct syscall_args *args, uint32_t index)
{
    if (index >= args->count || args->kinds[index].kind != ARGUMENT_OUT)
        return NULL;
    return (void *)args->value[index];
}

struct syscall_descriptor {
    const char *name;
    uint32_t count; /* of kinds */
    const struct syscall_argument *kinds;
    struct result (*handle)(const struct syscall_args *args); /* the arguments are valid */
};

/* Any CPU. OUT_OF_RANGE number >= SYSCALL_MAX, ALREADY_EXISTS taken, INVALID_ARGUMENT a description that makes no
 * sense (no name, more than 6 arguments, a buffer without its length). */
enum status syscall_register(uint32_t number, const struct syscall_descriptor *d);

/* Any CPU. OUT_OF_RANGE; NOT_FOUND nothing there; PERMISSION_DENIED it is there from boot. */
enum status syscall_unregister(uint32_t number);

/* The name behind a number, NULL if free; and the lowest number with a name of n bytes, NOT_FOUND. Names need not be
 * unique. */
const char *syscall_name(uint32_t number);
enum status syscall_lookup(const char *name, size_t n, uint32_t *number);

/* From the entry, for each number without a row. */
struct result extension_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                             uint64_t number);
