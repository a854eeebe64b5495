/* SPDX-License-Identifier: MIT
 * Channel calls: the arguments are decoded (sys/syscall/arguments.h), then ipc/endpoint.c, which knows neither handles
 * nor user addresses. The two calls that a round trip consists of begin in sys/fastpath.c. */
#include "ipc/endpoint.h"
#include "sys/syscall/define.h"

IMPLEMENT_SYSCALL_AS(channel_transact, channel_transact_careful)
{
    return endpoint_transact((struct endpoint *)a[0], (const char *)a[1], a[2], (char *)a[3], a[4], a[5]);
}

IMPLEMENT_SYSCALL_AS(channel_respond_and_wait, channel_respond_and_wait_careful)
{
    return endpoint_respond_and_wait((struct endpoint *)a[0], (const char *)a[1], a[2], (char *)a[3], a[4], a[5]);
}

IMPLEMENT_HOT_SYSCALL(channel_read)
{
    return endpoint_read((struct endpoint *)a[0], a[1], (char *)a[2], a[3]);
}

IMPLEMENT_HOT_SYSCALL(channel_respond)
{
    return endpoint_respond((struct endpoint *)a[0], (const char *)a[1], a[2]);
}
