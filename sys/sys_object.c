/* SPDX-License-Identifier: MIT
 * Calls about objects of any kind, wait groups and interrupts; thread_yield. */
#include "ipc/wait_group.h"
#include "sys/interrupt.h"
#include "sys/syscall/define.h"

IMPLEMENT_HOT_SYSCALL(object_wait)
{
    uint32_t mask = (uint32_t)a[1];
    if (mask & ~SIGNAL_VALID)
        __builtin_unreachable(); /* decoded: object_wait's own look at it is for other callers */
    return object_wait((struct object *)a[0], mask, a[2]);
}

IMPLEMENT_SYSCALL(wait_group_add)
{
    struct thread *woken;
    enum status s = wait_group_add((struct wait_group *)a[0], (struct object *)a[1], (uint32_t)a[2], a[3], &woken);
    return woken ? sched_ready_preempt(woken, result_of(s)) : result_of(s);
}

IMPLEMENT_SYSCALL(wait_group_remove)
{
    return sched_preempt(result_of(wait_group_remove((struct wait_group *)a[0], (struct object *)a[1])));
}

IMPLEMENT_SYSCALL(interrupt_ack)
{
    return sched_preempt(result_of(interrupt_ack((struct interrupt_object *)a[0], (uint32_t)a[1])));
}

IMPLEMENT_SYSCALL(interrupt_message)
{
    uint64_t message = 0;
    enum status s = interrupt_message((struct interrupt_object *)a[0], (uint32_t)a[1], &message);
    return (struct result){s, message};
}

IMPLEMENT_SYSCALL(thread_yield)
{
    return sched_yield();
}
