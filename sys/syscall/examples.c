/* SPDX-License-Identifier: MIT
 * A call that is registered at run time, as an example: `add`, two values to their sum. The row of kinds is all that
 * decoding and validation need; see sys/syscall/validator.h for checks beyond that. */
#include "sys/syscall/examples.h"

#include "sys/lib/string.h"

static const struct syscall_argument add_kinds[] = {VALUE(a), VALUE(b)};

static struct result add(const struct syscall_args *args)
{
    uint64_t a = 0, b = 0;
    if (!syscall_args_get(args, 0, &a) || !syscall_args_get(args, 1, &b))
        return result_of(STATUS_INTERNAL);
    return result_ok(a + b);
}

static const struct syscall_descriptor examples[] = {
    {"add", 2, add_kinds, add},
};

const struct syscall_descriptor *example_find(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
        if (strlen(examples[i].name) == n && !memcmp(examples[i].name, name, n))
            return &examples[i];
    return NULL;
}
