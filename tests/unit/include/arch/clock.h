/* SPDX-License-Identifier: MIT
 * Host stand-in: the test says what time it is. */
#pragma once
#include <stdint.h>

uint64_t clock_now_ns(void);
