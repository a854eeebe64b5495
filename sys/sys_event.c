/* SPDX-License-Identifier: MIT
 * Calls about the event bus. */
#include "sys/event_object.h"
#include "sys/syscall/define.h"

IMPLEMENT_SYSCALL(event_read)
{
    return event_object_read((struct event_object *)a[0], (char *)a[1], a[2]);
}
