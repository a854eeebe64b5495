/* SPDX-License-Identifier: MIT
 * The end of a process that does not know how to go on. */
#include "user/rt/rt_internal.h"
#include "user/rt/tern.h"

#include "sys/lib/printf.h"

void tern_panic_at(const char *file, int line, const char *format, ...)
{
    char prefix[RT_LINE_BYTES / 2];
    va_list args;
    ksnprintf(prefix, sizeof prefix, "panic at %s:%d: ", file, line);
    va_start(args, format);
    rt_log_line(prefix, format, args);
    va_end(args);
    process_exit(TERN_EXIT_PANIC);
}
