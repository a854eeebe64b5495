/* SPDX-License-Identifier: MIT
 * The two calls that a round trip consists of, each one function from its registers to the other thread's: decode
 * (sys/syscall/arguments.h), then the handoff (ipc/endpoint_direct.h). If anything is unusual nothing has been changed,
 * and it is done the long way.
 *
 * These functions never return: they end in the way out to some thread, which takes its registers from struct thread,
 * where the entry has saved those of this one. So they need not keep any register, and rules.mk tells the compiler. */
#include "ipc/group_direct.h"
#include "sys/syscall/define.h"

/* The call gave its result after all; the registers that C would have kept come back from the thread. */
static inline _Noreturn void resume_with(struct result result)
{
    struct thread *t = sched_current();
    t->result = result;
    thread_resume(t);
}

#define RAW_ARGUMENTS uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5
#define ARE_HOT(name)                                                                                                  \
    likely(arguments_are_hot(sched_current()->process, name##_arguments, name##_count,                                 \
                             (const uint64_t[]){a0, a1, a2, a3, a4, a5}, a))
#define DECODED (struct endpoint *)a[0], (const char *)a[1], a[2], (char *)a[3], a[4], a[5]

/* No thread waits right there. */
static _Noreturn __attribute__((noinline)) void transact_otherwise(struct endpoint *e, const char *send, uint64_t n,
                                                                   char *receive, uint64_t room, uint64_t deadline_ns)
{
    endpoint_transact_group(e, send, n, receive, room, deadline_ns);
    resume_with(endpoint_transact(e, send, n, receive, room, deadline_ns));
}

_Noreturn struct result sys_channel_transact(RAW_ARGUMENTS)
{
    uint64_t a[SYSCALL_ARGUMENTS];
    if (!ARE_HOT(channel_transact))
        resume_with(sys_channel_transact_careful(a0, a1, a2, a3, a4, a5));
    endpoint_transact_direct(DECODED);
    transact_otherwise(DECODED);
}

/* By the row of channel_respond_and_wait, with the other type of object. */
static inline __attribute__((always_inline)) bool group_is_hot(const uint64_t *raw, uint64_t *a)
{
    const struct process *p = sched_current()->process;
    a[0] = (uint64_t)handle_peek(p, raw[0], channel_respond_and_wait_arguments[0].least);
    return a[0] && arguments_are_hot(p, &channel_respond_and_wait_arguments[1], channel_respond_and_wait_count - 1,
                                     &raw[1], &a[1]);
}

static _Noreturn __attribute__((noinline)) void respond_and_wait_group(RAW_ARGUMENTS)
{
    uint64_t a[SYSCALL_ARGUMENTS];
    if (!likely(group_is_hot((const uint64_t[]){a0, a1, a2, a3, a4, a5}, a)))
        resume_with(sys_channel_respond_and_wait_careful(a0, a1, a2, a3, a4, a5));
    struct wait_group *g = (struct wait_group *)a[0];
    endpoint_respond_and_wait_group_direct(g, (const char *)a[1], a[2], (char *)a[3], a[4], a[5]);
    resume_with(endpoint_respond_and_wait_group(g, (const char *)a[1], a[2], (char *)a[3], a[4], a[5]));
}

_Noreturn struct result sys_channel_respond_and_wait(RAW_ARGUMENTS)
{
    uint64_t a[SYSCALL_ARGUMENTS];
    if (!ARE_HOT(channel_respond_and_wait))
        respond_and_wait_group(a0, a1, a2, a3, a4, a5);
    endpoint_respond_and_wait_direct(DECODED);
    resume_with(endpoint_respond_and_wait(DECODED));
}
