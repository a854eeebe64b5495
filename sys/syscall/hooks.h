/* SPDX-License-Identifier: MIT
 * The hooks that the kernel has, by name: `audit`, `latency` and `lockdown`. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/abi/status.h"

/* Boot, before the seal: room for all of them. `sample_mult` and `unit`: as in struct vvar. */
void hooks_reserve(uint32_t cpus, uint64_t sample_mult, const char *unit);

/* Boot CPU, before any thread of any CPU runs, so that no call is missed. `list` is names with commas between.
 * NOT_FOUND or RESOURCE_EXHAUSTED, and then *bad is the name, of *n bytes. */
enum status hooks_start(const char *list, const char **bad, size_t *n);

/* Any CPU. OK if it is so on all CPUs; UNAVAILABLE while it changes; NOT_FOUND; RESOURCE_EXHAUSTED. */
enum status hooks_switch(const char *name, size_t n, bool on);

/* Boot CPU, at the end: what they gathered goes to the host. */
void hooks_finish(void);
