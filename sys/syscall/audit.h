/* SPDX-License-Identifier: MIT
 * The hook `audit`: each CPU keeps its last AUDIT_ENTRIES calls, refused and invalid ones too. The log gets them when
 * the machine stops, by panic too, a line each, oldest first. */
#pragma once
#include "sys/syscall/hook.h"

#define AUDIT_ENTRIES 256

extern struct syscall_hook audit_hook;

/* Boot: room for the rings. False: no memory. */
bool audit_reserve(uint32_t cpus);

/* Boot CPU, others have stopped or do not matter any more. Writes the rings, if the hook ever ran. */
void audit_write(void);
