/* SPDX-License-Identifier: MIT
 * Checks beyond a row of kinds, one after the other: a pointer inside a structure, a length that depends on a value.
 * The checks are those of arguments.h, with the same statuses (sys/abi/syscalls.def). A validator lives on the stack
 * and keeps the first error; whatever is asked after it does nothing and gives NULL, so a call looks at the outcome
 * once:
 *
 *     struct validator v = validator_begin(process);
 *     validator_range(&v, request.count, 0, MOST);
 *     const void *values = validator_ptr(&v, request.address, request.count * 8, false);
 *     if (validator_check(&v) != STATUS_OK)
 *         return result_of(validator_check(&v));
 *
 * Neither reads nor writes user memory, but for the search of a string's end. */
#pragma once
#include <stdbool.h>
#include "sys/syscall/arguments.h"

struct validator {
    struct process *process;
    enum status status; /* of the first check that failed */
};

static inline struct validator validator_begin(struct process *p)
{
    return (struct validator){.process = p, .status = STATUS_OK};
}

/* The status of the first check that failed, in the order of the calls; OK if none did. */
static inline enum status validator_check(const struct validator *v)
{
    return v->status;
}

/* A buffer of n bytes that is read or, if `writable`, written: the kernel's address. Of no bytes: an address that
 * nobody may use, which may be NULL. */
void *validator_ptr(struct validator *v, uint64_t address, uint64_t n, bool writable);

/* A text of at most `most` bytes with its NUL: the kernel's address. */
const char *validator_string(struct validator *v, uint64_t address, uint64_t most);

/* The object of a handle; `type` as in struct syscall_argument. */
struct object *validator_handle(struct validator *v, uint64_t handle, uint32_t type);

/* An index into a table of `limit` entries: OUT_OF_RANGE. Mask it before it is used (<arch/index_mask.h>). */
void validator_fd(struct validator *v, uint64_t value, uint64_t limit);

/* INVALID_ARGUMENT for a bit outside `allowed`; OUT_OF_RANGE outside [least, most]. */
void validator_flags(struct validator *v, uint64_t value, uint64_t allowed);
void validator_range(struct validator *v, uint64_t value, uint64_t least, uint64_t most);

/* Nanoseconds since boot: any will do, one in the past polls. */
void validator_deadline(struct validator *v, uint64_t ns);
