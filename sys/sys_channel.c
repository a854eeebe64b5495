/* SPDX-License-Identifier: MIT
 * Channel calls: the arguments are decoded (sys/syscall/arguments.h), then ipc/endpoint.c, which knows neither handles
 * nor user addresses. The two calls that a round trip consists of go straight through ipc/endpoint_direct.h. */
#include "ipc/endpoint_direct.h"
#include "sys/syscall/define.h"

#define TRANSACT_DIRECT                                                                                                \
    endpoint_transact_direct((struct endpoint *)a[0], (const char *)a[1], a[2], (char *)a[3], a[4], a[5])
#define RESPOND_AND_WAIT_DIRECT                                                                                        \
    endpoint_respond_and_wait_direct((struct endpoint *)a[0], (const char *)a[1], a[2], (char *)a[3], a[4], a[5])

IMPLEMENT_DIRECT_SYSCALL(channel_transact, TRANSACT_DIRECT)
{
    return endpoint_transact((struct endpoint *)a[0], (const char *)a[1], a[2], (char *)a[3], a[4], a[5]);
}

IMPLEMENT_DIRECT_SYSCALL(channel_respond_and_wait, RESPOND_AND_WAIT_DIRECT)
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
