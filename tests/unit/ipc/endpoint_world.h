/* SPDX-License-Identifier: MIT
 * One CPU with a few processes, played on the host: the kernel's own endpoint.c, wait.c, sched.c, timer.c and runq.c
 * run in it. A call leaves by thread_resume, which here ends the call and leaves its result in the thread that goes on
 * (`result`), whichever way it took. All that can change is in struct snapshot, so that one state can be run twice.
 *
 *   process   threads           objects
 *   client    CLIENT CLIENT_2   initiators[0]
 *   server    SERVER SERVER_2   handlers[0], initiators[1]
 *   other     OTHER             handlers[1]
 *   idlers    RIVAL RIVAL_2     bell, which no kernel object answers to: they wait, run and yield */
#pragma once
#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <stdbool.h>
#include <stdint.h>
#include "ipc/endpoint.h"
#include "sched/sched.h"

enum { CLIENT, CLIENT_2, SERVER, SERVER_2, OTHER, RIVAL, RIVAL_2, THREADS };
enum { CLIENT_PROCESS, SERVER_PROCESS, OTHER_PROCESS, IDLER_PROCESS, PROCESSES };
enum { CHANNELS = 2, OBJECTS_MAX = 2, BUFFER_BYTES = 104, MESSAGES_MAX = 8 };

struct world {
    struct thread threads[THREADS];
    struct process processes[PROCESSES];
    struct object *objects[PROCESSES][OBJECTS_MAX];
    struct endpoint initiators[CHANNELS], handlers[CHANNELS];
    struct object bell;
    uint64_t cells[THREADS];
    struct thread *owners[THREADS];
    char send[THREADS][BUFFER_BYTES], receive[THREADS][BUFFER_BYTES];
    uint64_t now_ns, armed_ns, cr3;
    struct inbox_message messages[MESSAGES_MAX];
    uint32_t message_count;
    bool idle;
};

extern struct world world;
extern uint64_t world_handoffs; /* how often thread_resume_ok was the way out: the fast paths' mark */

struct snapshot {
    struct world world;
    struct runq runq;
    struct timer timer;
    struct percpu_head head;
    int level;
};

void world_save(struct snapshot *s);
void world_load(const struct snapshot *s);

enum call_kind {
    CALL_TRANSACT,
    CALL_RESPOND_AND_WAIT,
    CALL_RESPOND,
    CALL_READ,
    CALL_WAIT,
    CALL_YIELD,
    CALL_EXIT,      /* the current thread's process stops */
    CALL_INTERRUPT, /* the timer interrupt; also what an idle CPU takes */
    CALL_RAISE,     /* signals, as an interrupt raises them */
};

struct call {
    enum call_kind kind;
    bool slow; /* by the copy without fast paths */
    struct object *object;
    const char *out; /* request or response */
    uint64_t n;
    char *in;
    uint64_t room;
    uint64_t deadline_ns;
    uint64_t offset;
    uint32_t mask;
};

/* New world: every thread ready, then the most urgent runs. Threads of priority WORLD_ABSENT stay out of it. */
#define WORLD_ABSENT 255
void world_create(const uint8_t priorities[THREADS]);

/* The current thread makes the call; then the invariants are checked. */
void world_call(const struct call *c);

/* Every thread of the process off whatever holds it, and its endpoints stopped, as sys/process.c has it. */
void world_stop(struct process *p);

/* The channel becomes one between CPUs: what the ends send waits in world.messages for world_deliver. */
void world_make_remote(int channel);
void world_deliver(void);

/* Who holds which thread; bits against states; deadlines against the timer; who runs. Fails the test. */
void world_check(void);

/* Deterministic: 0 .. n - 1. */
uint32_t world_random(uint32_t n);

/* Only a failure is reported to the runner: one report per check would cost more than the check. */
static inline void must_hold(bool holds, const char *condition, int line)
{
    if (!holds)
        cr_assert(holds, "line %d: %s", line, condition);
}
#define must(condition) must_hold((condition), #condition, __LINE__)

