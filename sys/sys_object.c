/* SPDX-License-Identifier: MIT
 * object_wait, process_exit, thread_yield. */
#include "sys/process.h"
#include "sys/syscall/define.h"

IMPLEMENT_HOT_SYSCALL(object_wait)
{
    uint32_t mask = (uint32_t)a[1];
    if (mask & ~SIGNAL_VALID)
        __builtin_unreachable(); /* decoded: object_wait's own look at it is for other callers */
    return object_wait((struct object *)a[0], mask, a[2]);
}

IMPLEMENT_SYSCALL(process_exit)
{
    process_stop(p, (int32_t)a[0]);
    sched_block();
}

IMPLEMENT_SYSCALL(thread_yield)
{
    return sched_yield();
}
