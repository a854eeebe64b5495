/* SPDX-License-Identifier: MIT
 * A pre-hook that refuses. */
#include "sys/syscall/lockdown.h"

#include "sys/syscall/table.h"

static bool lockdown_pre(const struct syscall_context *c, struct result *result)
{
    if (c->number != SYSCALL_IS_syscall_register && c->number != SYSCALL_IS_syscall_unregister)
        return false;
    *result = result_of(STATUS_PERMISSION_DENIED);
    return true;
}

struct syscall_hook lockdown_hook = {.name = "lockdown", .pre = lockdown_pre};
