/* SPDX-License-Identifier: MIT
 * Calls about processes and threads. A task may end itself: then another thread runs. */
#include "sys/lib/string.h"
#include "sys/process.h"
#include "sys/syscall/define.h"
#include "sys/task.h"

IMPLEMENT_SYSCALL(process_exit)
{
    process_stop(p, &(struct exit_status){.kind = EXIT_CODE, .code = (int32_t)a[0]});
    sched_block();
}

IMPLEMENT_SYSCALL(process_start)
{
    return result_of(task_start_process((struct task *)a[0]));
}

IMPLEMENT_SYSCALL(task_terminate)
{
    enum status s = task_terminate((struct task *)a[0]);
    if (sched_current()->waiter.state != THREAD_RUNNING)
        sched_block();
    return sched_preempt(result_of(s));
}

IMPLEMENT_SYSCALL(task_join)
{
    struct exit_status status;
    enum status s = task_join((struct task *)a[0], &status);
    if (s != STATUS_OK)
        return result_of(s);
    uint64_t n = a[2] < sizeof(status) ? a[2] : sizeof(status);
    memcpy((char *)a[1], &status, n);
    return result_ok(n);
}

IMPLEMENT_SYSCALL(thread_start)
{
    return sched_preempt(result_of(task_start_thread((struct task *)a[0], a[1], a[2], a[3])));
}

IMPLEMENT_SYSCALL(thread_exit)
{
    thread_end(sched_current(), &(struct exit_status){.kind = EXIT_CODE, .code = (int32_t)a[0]});
    sched_block();
}
