/* SPDX-License-Identifier: MIT
 * The first call of a process of the hooks_early test. */
#pragma once
#include "tests/guest/check.h"

static inline void make_first_call(void)
{
    check_refused("first call of a process", syscall_register(100 + cpu_id(), "add", 3), STATUS_PERMISSION_DENIED);
}
