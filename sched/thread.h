/* SPDX-License-Identifier: MIT
 * A thread: its saved registers and what it waits for. It has no kernel stack. Only its home CPU touches it.
 * Legend: [I] fixed after boot, [o] home CPU only. */
#pragma once
#include <arch/frame.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/abi/status.h"

#define THREAD_PRIORITIES 32

struct process;
struct object;
struct endpoint;
struct task;

/* What a system call returns, in RAX:RDX. The upper half of RAX is 0 but for calls that wait: the signals that are
 * active. */
struct result {
    uint64_t status; /* enum status, signals << 32 */
    uint64_t value;
};

static inline struct result result_ok(uint64_t value)
{
    return (struct result){STATUS_OK, value};
}

static inline struct result result_of(enum status status)
{
    return (struct result){status, 0};
}

static inline struct result result_signals(uint32_t signals, uint64_t value)
{
    return (struct result){STATUS_OK | (uint64_t)signals << 32, value};
}

/* A call as hooks see it. */
struct syscall_context {
    const struct process *process;
    const struct thread *thread;
    uint64_t entry_tsc;
    uint64_t entry_ns;
    uint64_t origin;       /* return address: the vDSO's instruction */
    uint64_t arguments[6]; /* as they came */
    uint32_t number;
    uint32_t cpu;
    uint8_t hooks; /* a bit for each place in this CPU's list whose hook saw it begin */
};

/* Where a thread is, that is, who holds a pointer to it. */
enum thread_state {
    THREAD_RUNNING,       /* the CPU's current thread */
    THREAD_READY,         /* in the run queue */
    THREAD_STOPPED,       /* nowhere, until it is started */
    THREAD_WAIT_SIGNALS,  /* on object->waiters, for `mask` */
    THREAD_WAIT_REQUEST,  /* on object->waiters, in channel_respond_and_wait: takes the next request itself */
    THREAD_WAIT_TAKE,     /* on object->waiters, in object_take: takes the notification itself */
    THREAD_WAIT_RESPONSE, /* the caller of an initiator endpoint's transaction */
    WAITER_MEMBER,        /* no thread: stands on object->waiters for the wait group that the object is in */
    THREAD_WAIT_BEHIND,   /* as WAIT_REQUEST, but one who came before has a request, which may still be under way */
    WAITER_KERNEL,        /* no thread: stands on object->waiters for a function of the kernel */
};

/* One entry of object->waiters: of a thread, of a wait group's member (ipc/wait_group.h), or of the kernel
 * (ipc/object.h). */
struct waiter {
    struct waiter *next; /* [o] of the same object; NULL while it waits for none */
    uint32_t mask;       /* [o] signals it waits for */
    uint8_t state;       /* [o] enum thread_state */
};

/* Why thread_resume may not go straight to user mode. */
#define THREAD_INTERRUPTED 1 /* the frame holds every register: it was interrupted, not in a call */
#define THREAD_HOOKED 2      /* it is in a call whose end hooks want to see */

struct thread {
    struct frame frame;          /* [o] at offset 0: entry.S */
    struct waiter waiter;        /* [o] its state, and what it waits for */
    uint8_t resume;              /* [o] THREAD_INTERRUPTED or THREAD_HOOKED */
    uint8_t priority;            /* [I] */
    uint32_t rivals;             /* [I] run-queue bits at least as urgent as this thread */
    struct process *process;     /* [I] */
    uint64_t cr3;                /* [I] the process's */
    struct result result;        /* [o] of the call it is blocked in, set by whoever wakes it */
    struct object *wait_object;  /* [o] */
    char *buffer;                /* [o] WAIT_REQUEST, BEHIND: where the request goes, kernel address, checked; in
                                    router_request: the answer */
    uint64_t buffer_bytes;       /* [o] */
    struct endpoint *served;     /* [o] handler whose request it took through a wait group and has not answered */
    uint64_t *deadline_ns;       /* [I] its cell in this CPU's deadline table; UINT64_MAX when it has none */
    struct thread *next;         /* [o] run queue */
    struct thread *previous;     /* [o] */
    const char *name;            /* [I] */
    struct task *task;           /* [I] the thread object for it, or NULL */
    uint64_t stack_top;          /* [I] */
    struct syscall_context call; /* [o] THREAD_HOOKED: the call it is in */
};

/* The state is of a thread on object->waiters. */
static inline bool thread_state_waits(uint8_t state)
{
    return (state >= THREAD_WAIT_SIGNALS && state <= THREAD_WAIT_TAKE) || state == THREAD_WAIT_BEHIND;
}

static inline struct thread *thread_of_waiter(struct waiter *w)
{
    return (struct thread *)((char *)w - offsetof(struct thread, waiter));
}
