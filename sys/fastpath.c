/* SPDX-License-Identifier: MIT
 * The two calls that a round trip consists of, each one function from its registers to the other thread's: decode
 * (sys/syscall/arguments.h), then the handoff (ipc/endpoint_direct.h). If anything is unusual nothing has been changed,
 * and it is done the long way.
 *
 * These functions never return: they end in the way out to some thread, which takes its registers from struct thread,
 * where the entry has saved those of this one. So they need not keep any register, and rules.mk tells the compiler. */
#include "ipc/endpoint_direct.h"
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

_Noreturn struct result sys_channel_transact(RAW_ARGUMENTS)
{
    uint64_t a[SYSCALL_ARGUMENTS];
    if (!ARE_HOT(channel_transact))
        resume_with(sys_channel_transact_careful(a0, a1, a2, a3, a4, a5));
    endpoint_transact_direct(DECODED);
    resume_with(endpoint_transact(DECODED));
}

_Noreturn struct result sys_channel_respond_and_wait(RAW_ARGUMENTS)
{
    uint64_t a[SYSCALL_ARGUMENTS];
    if (!ARE_HOT(channel_respond_and_wait))
        resume_with(sys_channel_respond_and_wait_careful(a0, a1, a2, a3, a4, a5));
    endpoint_respond_and_wait_direct(DECODED);
    resume_with(endpoint_respond_and_wait(DECODED));
}
