/* SPDX-License-Identifier: MIT
 * Process and thread objects: what a process holds to start, end and join another process, or a thread of its own. A
 * thread is on the object's CPU; a process may be on another one, so what happens to it is asked for and told by
 * messages, and the object's state, on its own home CPU, is what calls go by:
 *
 *   READY --start--> RUNNING --the task is gone--> ENDED (JOINABLE) --join--> READY
 *
 * Processes begin RUNNING, as do main threads; other threads READY. Each process has an object of its own besides,
 * which is RUNNING as long as anybody can ask. */
#pragma once
#include "ipc/object.h"
#include "sched/process.h"

enum task_state { TASK_READY, TASK_RUNNING, TASK_ENDED };

struct task {
    struct object object;
    struct process *process;   /* [I] process object: which; thread object: NULL */
    struct thread *thread;     /* [I] thread object: which */
    uint8_t state;             /* [o] enum task_state */
    bool terminating;          /* [o] RUNNING elsewhere, and asked to end: once is enough */
    struct exit_status status; /* [o] ENDED */
};

/* OK; ALREADY_EXISTS running; FAILED_PRECONDITION ended and not joined; UNAVAILABLE its CPU is off line. A process is
 * loaded anew. */
enum status task_start_process(struct task *t);

/* Likewise; the thread begins at `entry` with two arguments. INVALID_ARGUMENT: that is no address of a user. */
enum status task_start_thread(struct task *t, uint64_t entry, uint64_t a0, uint64_t a1);

/* OK: the task will be gone (JOINABLE). FAILED_PRECONDITION: it does not run. The task may be the
 * current thread, or its process: then the caller must call sched_block next. */
enum status task_terminate(struct task *t);

/* OK with how it ended. UNAVAILABLE: it runs; FAILED_PRECONDITION: never started, or joined. */
enum status task_join(struct task *t, struct exit_status *status);

/* The task of the object is gone. Its home CPU. */
void task_ended(struct task *t, const struct exit_status *status);

/* The process `p` is gone: tells its supervisor, if it has one, wherever that is. */
void task_tell_supervisor(const struct process *p);

/* The process of this object starts again: its thread objects are as at boot. What became of other processes stays. */
void task_reset(struct task *t);
