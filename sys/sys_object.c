/* SPDX-License-Identifier: MIT
 * object_wait, process_exit, thread_yield. */
#include "sys/dispatch.h"
#include "sys/process.h"

struct result sys_object_wait(uint64_t handle, uint64_t mask, uint64_t deadline_ns, uint64_t a3, uint64_t a4,
                              uint64_t a5)
{
    (void)a3, (void)a4, (void)a5;
    struct process *p = sched_current()->process;
    if (handle >= p->object_count)
        return result_of(STATUS_OUT_OF_RANGE);
    struct object *o = p->objects[handle];
    if (o->type == IMAGE_OBJECT_HISTOGRAM)
        return result_of(STATUS_UNIMPLEMENTED);
    if (mask > UINT32_MAX)
        return result_of(STATUS_INVALID_ARGUMENT);
    return object_wait(o, (uint32_t)mask, deadline_ns);
}

struct result sys_process_exit(uint64_t code, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    (void)a1, (void)a2, (void)a3, (void)a4, (void)a5;
    process_stop(sched_current()->process, (int32_t)code);
    sched_block();
}

struct result sys_thread_yield(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    (void)a0, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5;
    return sched_yield();
}
