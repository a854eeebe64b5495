/* SPDX-License-Identifier: MIT
 * The kernel's own function names, made from the linked ELF by symbols.awk and linked in by a second pass. Sorted by
 * address. */
#pragma once
#include <stdint.h>

/* The function that contains `address` and the distance to its start; NULL (and 0) outside the kernel's text. Any
 * context. */
const char *symbols_find(uint64_t address, uint64_t *offset);
