/* SPDX-License-Identifier: MIT
 * Lines for the kernel's log. Formatting and the memory functions that compilers call are the kernel's own sources
 * (sys/lib), compiled again for ring 3. */
#include "user/rt/rt_internal.h"
#include "user/rt/tern.h"

#include "sys/lib/printf.h"
#include "sys/lib/string.h"

void rt_log_line(const char *prefix, const char *format, va_list args)
{
    char line[RT_LINE_BYTES];
    size_t n = strlen(prefix);
    if (n > sizeof line - 1)
        n = sizeof line - 1;
    memcpy(line, prefix, n);
    int length = kvsnprintf(line + n, sizeof line - n, format, args);
    n += length < 0 ? 0 : (size_t)length;
    if (n > sizeof line - 1)
        n = sizeof line - 1;
    line[n] = '\n';
    (void)debug_log(line, n + 1);
}

void tern_log(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rt_log_line("", format, args);
    va_end(args);
}
