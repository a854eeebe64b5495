/* SPDX-License-Identifier: MIT
 * debug_*: the log, the clock, the end of the machine, and a call that does nothing. */
#include "sys/dispatch.h"
#include "sys/lib/log.h"
#include "sys/shutdown.h"
#include "sys/user_buffer.h"

#include <arch/clock.h>

#define DEBUG_LOG_BYTES_MAX 1024 /* bounds the time with interrupts off */

struct result sys_debug_nop(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    (void)a0, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5;
    return result_ok(0);
}

struct result sys_debug_log(uint64_t buffer, uint64_t n, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    (void)a2, (void)a3, (void)a4, (void)a5;
    if (n > DEBUG_LOG_BYTES_MAX)
        return result_of(STATUS_OUT_OF_RANGE);
    if (!n)
        return result_ok(0);
    enum status s = user_range(sched_current()->process, &buffer, n, USER_IN);
    if (s != STATUS_OK)
        return result_of(s);
    log_write((const char *)buffer, n);
    return result_ok(n);
}

struct result sys_debug_putc(uint64_t c, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    (void)a1, (void)a2, (void)a3, (void)a4, (void)a5;
    if (c > 0x7f)
        return result_of(STATUS_INVALID_ARGUMENT);
    char byte = (char)c;
    log_write(&byte, 1);
    return result_ok(c);
}

struct result sys_debug_shutdown(uint64_t status, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    (void)a1, (void)a2, (void)a3, (void)a4, (void)a5;
    log_info("process '%s' shuts down: status %lu", sched_current()->process->name, status);
    shutdown_machine(status ? SHUTDOWN_FAILURE : SHUTDOWN_SUCCESS);
}

struct result sys_debug_clock_now(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    (void)a0, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5;
    return result_ok(clock_now_ns());
}
