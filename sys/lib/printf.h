/* SPDX-License-Identifier: MIT
 * Formatting without a C library: %c %s %d %i %u %x %p %%, lengths hh h l ll z j, flags 0 - and # (for %x), width, and
 * precision for %s (either may be *). Widths stop at 1023; a null %s is "(null)"; any other conversion comes out as it
 * stands. Returns the length the whole text would have had, like C's snprintf; always terminates when n > 0. Any
 * context. */
#pragma once
#include <stdarg.h>
#include <stddef.h>

int kvsnprintf(char *out, size_t n, const char *format, va_list args) __attribute__((format(printf, 3, 0)));
int ksnprintf(char *out, size_t n, const char *format, ...) __attribute__((format(printf, 3, 4)));
