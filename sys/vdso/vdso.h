/* SPDX-License-Identifier: MIT
 * The pages through which processes enter the kernel, the same ones in every process: the vDSO itself, then two pages
 * with an instruction for each number that has no name there. Read-only and executable, as all text. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <arch/memory.h>
#include "sys/abi/status.h"

/* Makes the pages for the instruction that was chosen (<arch/entry.h>). Boot, before the first vdso_map. */
enum status vdso_create(void);

/* Maps them into an address space. */
enum status vdso_map(paddr_t root);
