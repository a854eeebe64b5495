/* SPDX-License-Identifier: MIT
 * Calls that the kernel has without a number, for syscall_register. */
#pragma once
#include <stddef.h>
#include "sys/syscall/extension.h"

/* By name, NULL if there is none. */
const struct syscall_descriptor *example_find(const char *name, size_t n);
