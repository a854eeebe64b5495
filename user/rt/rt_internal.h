/* SPDX-License-Identifier: MIT
 * Between the files of the runtime. */
#pragma once
#include <stdarg.h>
#include <stddef.h>

#define RT_LINE_BYTES 256

/* Writes prefix, text and a newline to the log, cut at RT_LINE_BYTES; there is nobody to tell if the log refuses it. */
void rt_log_line(const char *prefix, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
