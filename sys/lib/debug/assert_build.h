/* SPDX-License-Identifier: MIT
 * assert in a debug build: checked. */
#pragma once
#define assert(condition) panic_if(!(condition))
