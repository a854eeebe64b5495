/* SPDX-License-Identifier: MIT
 * Channel calls: handle to endpoint, user ranges to kernel addresses, then ipc/endpoint.c, which knows neither. The
 * arguments keep their registers on the way, so each call ends in a jump. What needs a search or is refused is decoded
 * by a _slow twin, so that the usual way keeps no registers on the stack. */
#include "sys/dispatch.h"
#include "sys/user_buffer.h"

/* The buffer is empty or lies where this process's last one did; then adding hot.to_kernel gives the kernel's address
 * (of an empty one: an address that nobody uses). */
static inline __attribute__((always_inline)) bool buffer_is_hot(const struct process *p, uint64_t address, uint64_t n,
                                                                enum user_access access)
{
    return !n || region_holds(&p->hot[access], address, n);
}

static __attribute__((noinline)) struct result transact_slow(uint64_t handle, uint64_t send, uint64_t n,
                                                             uint64_t receive, uint64_t room, uint64_t deadline_ns)
{
    struct process *p = sched_current()->process;
    enum status s = STATUS_OK;
    struct object *o = handle_lookup(p, handle, IMAGE_OBJECT_CHANNEL_INITIATOR, &s);
    if (s == STATUS_OK)
        s = user_range(p, &send, n, USER_IN);
    if (s == STATUS_OK)
        s = user_range(p, &receive, room, USER_OUT);
    if (s != STATUS_OK)
        return result_of(s);
    return endpoint_transact((struct endpoint *)o, (const char *)send, n, (char *)receive, room, deadline_ns);
}

struct result sys_channel_transact(uint64_t handle, uint64_t send, uint64_t n, uint64_t receive, uint64_t room,
                                   uint64_t deadline_ns)
{
    const struct process *p = sched_current()->process;
    struct object *o = handle_peek(p, handle, IMAGE_OBJECT_CHANNEL_INITIATOR);
    if (__builtin_expect(!o || !buffer_is_hot(p, send, n, USER_IN) || !buffer_is_hot(p, receive, room, USER_OUT), 0))
        return transact_slow(handle, send, n, receive, room, deadline_ns);
    send += p->hot[USER_IN].to_kernel;
    receive += p->hot[USER_OUT].to_kernel;
    return endpoint_transact((struct endpoint *)o, (const char *)send, n, (char *)receive, room, deadline_ns);
}

static __attribute__((noinline)) struct result read_slow(uint64_t handle, uint64_t offset, uint64_t buffer, uint64_t n)
{
    struct process *p = sched_current()->process;
    enum status s = STATUS_OK;
    struct object *o = handle_lookup(p, handle, IMAGE_OBJECT_CHANNEL_HANDLER, &s);
    if (s == STATUS_OK)
        s = user_range(p, &buffer, n, USER_OUT);
    if (s != STATUS_OK)
        return result_of(s);
    return endpoint_read((struct endpoint *)o, offset, (char *)buffer, n);
}

struct result sys_channel_read(uint64_t handle, uint64_t offset, uint64_t buffer, uint64_t n, uint64_t a4, uint64_t a5)
{
    (void)a4, (void)a5;
    const struct process *p = sched_current()->process;
    struct object *o = handle_peek(p, handle, IMAGE_OBJECT_CHANNEL_HANDLER);
    if (__builtin_expect(!o || !buffer_is_hot(p, buffer, n, USER_OUT), 0))
        return read_slow(handle, offset, buffer, n);
    return endpoint_read((struct endpoint *)o, offset, (char *)buffer + p->hot[USER_OUT].to_kernel, n);
}

static __attribute__((noinline)) struct result respond_slow(uint64_t handle, uint64_t buffer, uint64_t n)
{
    struct process *p = sched_current()->process;
    enum status s = STATUS_OK;
    struct object *o = handle_lookup(p, handle, IMAGE_OBJECT_CHANNEL_HANDLER, &s);
    if (s == STATUS_OK)
        s = user_range(p, &buffer, n, USER_IN);
    if (s != STATUS_OK)
        return result_of(s);
    return endpoint_respond((struct endpoint *)o, (const char *)buffer, n);
}

struct result sys_channel_respond(uint64_t handle, uint64_t buffer, uint64_t n, uint64_t a3, uint64_t a4, uint64_t a5)
{
    (void)a3, (void)a4, (void)a5;
    const struct process *p = sched_current()->process;
    struct object *o = handle_peek(p, handle, IMAGE_OBJECT_CHANNEL_HANDLER);
    if (__builtin_expect(!o || !buffer_is_hot(p, buffer, n, USER_IN), 0))
        return respond_slow(handle, buffer, n);
    return endpoint_respond((struct endpoint *)o, (const char *)buffer + p->hot[USER_IN].to_kernel, n);
}

static __attribute__((noinline)) struct result respond_and_wait_slow(uint64_t handle, uint64_t response, uint64_t n,
                                                                     uint64_t buffer, uint64_t room,
                                                                     uint64_t deadline_ns)
{
    struct process *p = sched_current()->process;
    enum status s = STATUS_OK;
    struct object *o = handle_lookup(p, handle, IMAGE_OBJECT_CHANNEL_HANDLER, &s);
    if (s == STATUS_OK)
        s = user_range(p, &response, n, USER_IN);
    if (s == STATUS_OK)
        s = user_range(p, &buffer, room, USER_OUT);
    if (s != STATUS_OK)
        return result_of(s);
    return endpoint_respond_and_wait((struct endpoint *)o, (const char *)response, n, (char *)buffer, room,
                                     deadline_ns);
}

struct result sys_channel_respond_and_wait(uint64_t handle, uint64_t response, uint64_t n, uint64_t buffer,
                                           uint64_t room, uint64_t deadline_ns)
{
    const struct process *p = sched_current()->process;
    struct object *o = handle_peek(p, handle, IMAGE_OBJECT_CHANNEL_HANDLER);
    if (__builtin_expect(
            !o || !response || !buffer_is_hot(p, response, n, USER_IN) || !buffer_is_hot(p, buffer, room, USER_OUT), 0))
        return respond_and_wait_slow(handle, response, n, buffer, room, deadline_ns);
    response += p->hot[USER_IN].to_kernel;
    buffer += p->hot[USER_OUT].to_kernel;
    return endpoint_respond_and_wait((struct endpoint *)o, (const char *)response, n, (char *)buffer, room,
                                     deadline_ns);
}
