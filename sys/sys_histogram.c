/* SPDX-License-Identifier: MIT
 * histogram_export: the process calls again until it is told OK; each call is one bounded step with interrupts off. */
#include "sys/console.h"
#include "sys/dispatch.h"
#include "sys/histogram_object.h"
#include "sys/user_buffer.h"

#define TEXT_BYTES_MAX 224

struct result sys_histogram_export(uint64_t handle, uint64_t text, uint64_t n, uint64_t a3, uint64_t a4, uint64_t a5)
{
    (void)a3, (void)a4, (void)a5;
    struct process *p = sched_current()->process;
    enum status s = STATUS_OK;
    struct object *o = handle_lookup(p, handle, IMAGE_OBJECT_HISTOGRAM, &s);
    if (!o)
        return result_of(s);
    if (n == 0 || n > TEXT_BYTES_MAX)
        return result_of(STATUS_OUT_OF_RANGE);
    s = user_range(p, &text, n, USER_IN);
    if (s != STATUS_OK)
        return result_of(s);
    if (p->cpu != 0)
        return result_of(STATUS_FAILED_PRECONDITION); /* the consoles are the boot CPU's */
    return result_of(console_export(((struct histogram_object *)o)->histogram, (const char *)text, n));
}
