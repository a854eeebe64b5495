/* SPDX-License-Identifier: MIT
 * assert in a release build: type-checked, not evaluated. */
#pragma once
#define assert(condition) ((void)sizeof(!(condition)))
