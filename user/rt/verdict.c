/* SPDX-License-Identifier: MIT
 * The end of the machine. */
#include "user/rt/rt_internal.h"
#include "user/rt/tern.h"

void tern_success(void)
{
    tern_log("VERDICT: SUCCESS");
    debug_shutdown(STATUS_OK);
}

void tern_failure(enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rt_log_line("VERDICT: FAILURE ", format, args);
    va_end(args);
    debug_shutdown(status == STATUS_OK ? STATUS_UNKNOWN : status);
}
