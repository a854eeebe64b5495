/* SPDX-License-Identifier: MIT
 * histogram_export: the process calls again until it is told OK; each call is one bounded step with interrupts off. */
#include "sys/console.h"
#include "sys/histogram_object.h"
#include "sys/syscall/define.h"

IMPLEMENT_SYSCALL(histogram_export)
{
    if (a[2] == 0)
        return result_of(STATUS_OUT_OF_RANGE);
    if (p->cpu != 0)
        return result_of(STATUS_FAILED_PRECONDITION); /* the consoles are the boot CPU's */
    return result_of(console_export(((struct histogram_object *)a[0])->histogram, (const char *)a[1], a[2]));
}
