/* SPDX-License-Identifier: MIT
 * All registers before a call and after it. */
#pragma once
#include "tests/guest/check.h"
#include "tests/guest/registers.h"

extern struct registers registers_before; /* rsp: filled in by registers_call */
extern struct registers registers_after;
extern void (*registers_target)(void);

/* Loads everything but RSP from registers_before, calls, stores everything in registers_after. */
void registers_call(void);
