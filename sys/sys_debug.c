/* SPDX-License-Identifier: MIT
 * debug_*: the log, the clock, the end of the machine, and a call that does nothing. */
#include "sys/interrupt.h"
#include "sys/lib/log.h"
#include "sys/shutdown.h"
#include "sys/syscall/define.h"

#include <arch/clock.h>

IMPLEMENT_SYSCALL(debug_nop)
{
    return result_ok(0);
}

IMPLEMENT_SYSCALL(debug_log)
{
    if (a[1])
        log_write((const char *)a[0], a[1]); /* its limit bounds the time with interrupts off */
    return result_ok(a[1]);
}

IMPLEMENT_SYSCALL(debug_putc)
{
    char byte = (char)a[0];
    log_write(&byte, 1);
    return result_ok(a[0]);
}

IMPLEMENT_SYSCALL(debug_shutdown)
{
    log_info("process '%s' shuts down: status %lu", p->name, a[0]);
    shutdown_machine(a[0] ? SHUTDOWN_FAILURE : SHUTDOWN_SUCCESS);
}

IMPLEMENT_SYSCALL(debug_trigger_interrupt)
{
    return result_of(interrupt_trigger((uint32_t)a[0]));
}

IMPLEMENT_SYSCALL(debug_clock_now)
{
    return result_ok(clock_now_ns());
}
