/* SPDX-License-Identifier: MIT
 * Calls about the event bus and the router. */
#include "sys/event_object.h"
#include "sys/router_object.h"
#include "sys/syscall/define.h"

IMPLEMENT_SYSCALL(event_read)
{
    return event_object_read((struct event_object *)a[0], (char *)a[1], a[2]);
}

IMPLEMENT_SYSCALL(router_request)
{
    return router_object_request((struct router_object *)a[0], (const char *)a[1], a[2], (char *)a[3], a[4], a[5]);
}
