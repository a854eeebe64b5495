/* SPDX-License-Identifier: MIT
 * Names that become numbers: equal names get equal numbers, on any CPU and for ever. Custom events and modules of the
 * router are known by them, so that no path that is taken often compares texts. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "sys/abi/event.h"
#include "sys/abi/status.h"

#define NAME_MAX EVENT_NAMES_MAX
#define NAME_BYTES EVENT_NAME_BYTES /* with its NUL */

/* The number of a name of `n` bytes, below NAME_MAX. INVALID_ARGUMENT: empty, too long, or with a byte that is not
 * printable ASCII or is a blank; RESOURCE_EXHAUSTED: NAME_MAX others are known. Any CPU, not in an NMI. */
enum status name_intern(const char *text, size_t n, uint32_t *number);

/* The same, without making it known: NOT_FOUND. */
enum status name_find(const char *text, size_t n, uint32_t *number);

/* The text of a number that name_intern gave. */
const char *name_text(uint32_t number);
