/* SPDX-License-Identifier: MIT
 * object_wait, process_exit, thread_yield. */
#include "sys/process.h"
#include "sys/syscall/define.h"

IMPLEMENT_HOT_SYSCALL(object_wait)
{
    return object_wait((struct object *)a[0], (uint32_t)a[1], a[2]);
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
