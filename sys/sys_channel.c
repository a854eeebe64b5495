/* SPDX-License-Identifier: MIT
 * Channel calls: handle to endpoint, user ranges to kernel addresses, then ipc/endpoint.c, which knows neither. The
 * arguments keep their registers on the way, so each call ends in a jump. */
#include "sys/dispatch.h"
#include "sys/user_buffer.h"

/* Turns user address `address` into the kernel's, in place, or returns the refusal from the calling function. */
#define USER_BUFFER(process, address, n, access)                                  \
    do {                                                                          \
        if (n) {                                                                  \
            char *kernel_ = user_range((process), (address), (n), (access));      \
            if (__builtin_expect(!kernel_, 0))                                    \
                return result_of(user_range_status(address));                  \
            (address) = (uint64_t)kernel_;                                        \
        }                                                                         \
    } while (0)

struct result sys_channel_transact(uint64_t handle, uint64_t send, uint64_t n, uint64_t receive, uint64_t room,
                                   uint64_t deadline_ns)
{
    struct process *p = sched_current()->process;
    enum status s = STATUS_OK;
    struct object *o = handle_lookup(p, handle, IMAGE_OBJECT_CHANNEL_INITIATOR, &s);
    if (__builtin_expect(!o, 0))
        return result_of(s);
    USER_BUFFER(p, send, n, IMAGE_REGION_READ);
    USER_BUFFER(p, receive, room, IMAGE_REGION_WRITE);
    return endpoint_transact((struct endpoint *)o, (const char *)send, n, (char *)receive, room, deadline_ns);
}

struct result sys_channel_read(uint64_t handle, uint64_t offset, uint64_t buffer, uint64_t n, uint64_t a4, uint64_t a5)
{
    (void)a4, (void)a5;
    struct process *p = sched_current()->process;
    enum status s = STATUS_OK;
    struct object *o = handle_lookup(p, handle, IMAGE_OBJECT_CHANNEL_HANDLER, &s);
    if (__builtin_expect(!o, 0))
        return result_of(s);
    USER_BUFFER(p, buffer, n, IMAGE_REGION_WRITE);
    return endpoint_read((struct endpoint *)o, offset, (char *)buffer, n);
}

struct result sys_channel_respond(uint64_t handle, uint64_t buffer, uint64_t n, uint64_t a3, uint64_t a4, uint64_t a5)
{
    (void)a3, (void)a4, (void)a5;
    struct process *p = sched_current()->process;
    enum status s = STATUS_OK;
    struct object *o = handle_lookup(p, handle, IMAGE_OBJECT_CHANNEL_HANDLER, &s);
    if (__builtin_expect(!o, 0))
        return result_of(s);
    USER_BUFFER(p, buffer, n, IMAGE_REGION_READ);
    return endpoint_respond((struct endpoint *)o, (const char *)buffer, n);
}

struct result sys_channel_respond_and_wait(uint64_t handle, uint64_t response, uint64_t n, uint64_t buffer, uint64_t room,
                                           uint64_t deadline_ns)
{
    struct process *p = sched_current()->process;
    enum status s = STATUS_OK;
    struct object *o = handle_lookup(p, handle, IMAGE_OBJECT_CHANNEL_HANDLER, &s);
    if (__builtin_expect(!o, 0))
        return result_of(s);
    USER_BUFFER(p, response, n, IMAGE_REGION_READ);
    USER_BUFFER(p, buffer, room, IMAGE_REGION_WRITE);
    return endpoint_respond_and_wait((struct endpoint *)o, (const char *)response, n, (char *)buffer, room, deadline_ns);
}
