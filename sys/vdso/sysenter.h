/* SPDX-License-Identifier: MIT
 * With SYSENTER the CPU does not say where a call came from, so no executable memory of a process may hold that
 * instruction, at any offset: also not half of it at the end of one region and half in the next. */
#pragma once
#include <stdint.h>
#include "sched/process.h"

/* The user address of the first one in these regions, which ascend by address and are loaded; 0 if there is none. */
uint64_t sysenter_find(const struct region *regions, uint32_t count);
