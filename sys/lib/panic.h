/* SPDX-License-Identifier: MIT
 * Three levels: panic_if for states in which going on would leak or corrupt (always on), assert for debug builds
 * (type-checked in release), _Static_assert for layouts. Errors that can happen are statuses, never asserts. */
#pragma once

_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2), cold));

#define panic_if(condition)                                                                                            \
    do {                                                                                                               \
        if (__builtin_expect(!!(condition), 0))                                                                        \
            panic("%s:%d: %s", __FILE__, __LINE__, #condition);                                                        \
    } while (0)

#include <assert_build.h>
