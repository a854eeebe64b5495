/* SPDX-License-Identifier: MIT
 * The end by a broken invariant: message, backtrace, failing status. */
#include "sys/lib/panic.h"

#include "arch/x86_64/trap.h"
#include "sys/lib/log.h"
#include "sys/lib/printf.h"
#include "sys/shutdown.h"

#include <arch/control.h>

void panic(const char *format, ...)
{
    char text[200];
    va_list args;
    interrupts_off();
    va_start(args, format);
    kvsnprintf(text, sizeof(text), format, args);
    va_end(args);
    shutdown_stop_others();
    log_error("panic: %s", text);
    fault_backtrace((uint64_t)__builtin_frame_address(0));
    shutdown_machine(SHUTDOWN_PANIC);
}
