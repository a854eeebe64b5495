/* SPDX-License-Identifier: MIT
 * Channel calls: the arguments are decoded (sys/syscall/arguments.h), then ipc/endpoint*.c, which knows neither handles
 * nor user addresses. The two calls that a round trip consists of begin in sys/fastpath.c. */
#include "ipc/endpoint.h"
#include "ipc/wait_group.h"
#include "sys/syscall/define.h"

#define IS_PIECES(length) ((int64_t)(length) < 0)

/* At least one of the buffers is in pieces. */
static __attribute__((noinline)) struct result transact_pieces(const uint64_t a[SYSCALL_ARGUMENTS])
{
    struct pieces send, receive;
    return endpoint_transact_pieces((struct endpoint *)a[0], argument_pieces(a[1], a[2], &send),
                                    argument_pieces(a[3], a[4], &receive), a[5]);
}

IMPLEMENT_SYSCALL_AS(channel_transact, channel_transact_careful)
{
    if (IS_PIECES(a[2]) || IS_PIECES(a[4]))
        return transact_pieces(a);
    return endpoint_transact((struct endpoint *)a[0], (const char *)a[1], a[2], (char *)a[3], a[4], a[5]);
}

IMPLEMENT_SYSCALL_AS(channel_respond_and_wait, channel_respond_and_wait_careful)
{
    struct object *o = (struct object *)a[0];
    if (o->type == IMAGE_OBJECT_WAIT_GROUP)
        return endpoint_respond_and_wait_group((struct wait_group *)o, (const char *)a[1], a[2], (char *)a[3], a[4],
                                               a[5]);
    return endpoint_respond_and_wait((struct endpoint *)o, (const char *)a[1], a[2], (char *)a[3], a[4], a[5]);
}

IMPLEMENT_HOT_SYSCALL(channel_read)
{
    if (IS_PIECES(a[3]))
        return endpoint_read_pieces((struct endpoint *)a[0], a[1], (const struct pieces *)a[2]);
    return endpoint_read((struct endpoint *)a[0], a[1], (char *)a[2], a[3]);
}

IMPLEMENT_HOT_SYSCALL(channel_respond)
{
    if (IS_PIECES(a[2]))
        return endpoint_respond_pieces((struct endpoint *)a[0], (const struct pieces *)a[1]);
    return endpoint_respond((struct endpoint *)a[0], (const char *)a[1], a[2]);
}

IMPLEMENT_SYSCALL(channel_async_transact)
{
    struct pieces send, receive;
    return endpoint_async_transact((struct endpoint *)a[0], argument_pieces(a[1], a[2], &send),
                                   argument_pieces(a[3], a[4], &receive));
}

IMPLEMENT_SYSCALL(channel_async_complete)
{
    return endpoint_async_complete((struct endpoint *)a[0]);
}

IMPLEMENT_SYSCALL(channel_async_cancel)
{
    return endpoint_async_cancel((struct endpoint *)a[0]);
}

IMPLEMENT_SYSCALL(object_set_peer_user_signal)
{
    return endpoint_set_peer_user((struct endpoint *)a[0], a[1]);
}

IMPLEMENT_HOT_SYSCALL(object_notify)
{
    return endpoint_notify((struct endpoint *)a[0], (uint32_t)a[1]);
}

IMPLEMENT_HOT_SYSCALL(object_take)
{
    return endpoint_take((struct endpoint *)a[0], a[1]);
}
