/* SPDX-License-Identifier: MIT
 * One or two CPUs with a few processes, played on the host: the kernel's own ipc/, sched/, sys/process.c and sys/task.c
 * run in it. A call leaves by thread_resume, which here ends the call and leaves its result in the thread that goes on
 * (`result`), whichever way it took. A message to a CPU waits until the test delivers it, so every order of messages
 * and calls can be written down. What real CPUs add, two stores at once, is the models' business (tests/model/). All
 * that can change is in struct snapshot, so that one state can be run twice.
 *
 *   process   threads           objects, and of each a wait group, its threads and itself
 *   client    CLIENT CLIENT_2   initiators[0] and [2]
 *   server    SERVER SERVER_2   handlers[0], [2] and [3], initiators[1], lines
 *   other     OTHER             handlers[1], initiators[3]
 *   idlers    RIVAL RIVAL_2     bell; they wait, run and yield, and supervise the three */
#pragma once
#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <stdbool.h>
#include <stdint.h>
#include "ipc/endpoint.h"
#include "ipc/wait_group.h"
#include "sched/sched.h"
#include "sys/task.h"

enum { CLIENT, CLIENT_2, SERVER, SERVER_2, OTHER, RIVAL, RIVAL_2, THREADS };
enum { CLIENT_PROCESS, SERVER_PROCESS, OTHER_PROCESS, IDLER_PROCESS, PROCESSES };
enum { CPUS = 2, CHANNELS = 4, LINES = 10, OBJECTS_MAX = 20, BUFFER_BYTES = 104, MESSAGES_MAX = 64 };

/* What a CPU has of its own, while the other one is played. */
struct cpu {
    struct runq runq;
    struct timer timer;
    struct percpu_head head;
    int level;
    uint64_t armed_ns, cr3;
    bool idle;
};

struct message {
    struct inbox_message message;
    uint32_t to;
};

struct world {
    struct thread threads[THREADS];
    struct process processes[PROCESSES];
    struct object *objects[PROCESSES][OBJECTS_MAX];
    struct member members[PROCESSES][OBJECTS_MAX];
    struct endpoint initiators[CHANNELS], handlers[CHANNELS];
    struct wait_group groups[PROCESSES];
    struct object bell, lines[LINES];        /* no kernel object answers to them: the test raises their signals */
    struct task supervised[IDLER_PROCESS];   /* the idlers' objects for the three processes */
    struct task own[PROCESSES], of[THREADS]; /* each process's for itself and its threads */
    uint64_t cells[CPUS][THREADS];
    struct thread *owners[CPUS][THREADS];
    char send[THREADS][BUFFER_BYTES], receive[THREADS][BUFFER_BYTES];
    char async_send[CHANNELS][BUFFER_BYTES], async_receive[CHANNELS][BUFFER_BYTES];
    uint64_t now_ns;
    uint32_t events[32]; /* that were published */
    struct cpu cpus[CPUS]; /* of the one that is not played now */
    uint32_t cpu, cpu_count;
    uint64_t armed_ns, cr3; /* of this one */
    bool idle;
    struct message messages[MESSAGES_MAX]; /* oldest first */
    uint32_t message_count;
};

extern struct world world;
extern uint64_t world_handoffs; /* how often a call went the direct way */

struct snapshot {
    struct world world;
    struct cpu cpu;
};

void world_save(struct snapshot *s);
void world_load(const struct snapshot *s);

enum call_kind {
    CALL_TRANSACT,
    CALL_RESPOND_AND_WAIT, /* also of a wait group */
    CALL_RESPOND,
    CALL_READ,
    CALL_WAIT,
    CALL_YIELD,
    CALL_ASYNC_TRANSACT,
    CALL_ASYNC_COMPLETE,
    CALL_ASYNC_CANCEL,
    CALL_SET_PEER_USER, /* `value` */
    CALL_NOTIFY,        /* `mask` */
    CALL_TAKE,
    CALL_GROUP_ADD, /* `other`, `mask`, `value` */
    CALL_GROUP_REMOVE,
    CALL_START,
    CALL_TERMINATE,
    CALL_JOIN,
    CALL_THREAD_EXIT,
    CALL_EXIT,      /* the current thread's process stops */
    CALL_INTERRUPT, /* from here on no thread's: the timer interrupt; also what an idle CPU takes */
    CALL_RAISE,     /* signals, as an interrupt raises them */
    CALL_DELIVER,   /* this CPU's oldest message */
    CALL_KILL,      /* the process of `object` is ended, as by a message of its supervisor */
    CALL_REVIVE,    /* the process of the process object is joined, and starts again when messages are delivered */
};

struct call {
    enum call_kind kind;
    bool slow; /* by the copy without fast paths */
    struct object *object, *other;
    const char *out; /* request or response */
    uint64_t n;
    char *in;
    uint64_t room;
    const struct pieces *out_pieces, *in_pieces; /* instead, unless NULL */
    uint64_t deadline_ns;
    uint64_t offset;
    uint64_t value;
    uint32_t mask;
};

/* New world: every thread ready, then the most urgent runs. Threads of priority WORLD_ABSENT stay out of it; those of
 * WORLD_UNBORN only have not begun. `homes`: the CPU of each process; one between two CPUs starts on CPU 0. */
#define WORLD_ABSENT 255
#define WORLD_UNBORN 128 /* and its priority */
void world_create(const uint8_t priorities[THREADS]);
void world_create_on(const uint8_t priorities[THREADS], const uint8_t homes[PROCESSES]);

/* The first thread of this CPU, as sched_start has it. */
void world_begin(void);

/* From here on this CPU is played. */
void world_on(uint32_t cpu);

/* The current thread makes the call, or the CPU takes it; then the invariants are checked. */
void world_call(const struct call *c);

/* Another process's end, on its CPU; and its next beginning, which its supervisor must know of and asks for. */
void world_stop(struct process *p);
void world_revive(struct process *p);

/* One of the CPU's messages, the oldest; false: there is none. All messages, also those that they send. */
bool world_deliver_one(uint32_t cpu);
void world_deliver(void);

/* The current thread, or -1 if the CPU idles. Its call, with its own buffers and without a deadline. */
int world_running(void);
struct call world_call_of(enum call_kind kind, struct object *o, uint64_t n, uint64_t room);

/* What the last call of a thread gave: a status and a value; or OK and signals. */
bool world_got(int thread, enum status status, uint64_t value);
bool world_told(int thread, uint32_t signals, uint64_t value);

/* endpoint_check.c: who holds which thread; bits against states; deadlines against the timer; who runs; and what the
 * call under way, since world_watch, may have changed. Fails the test. */
void world_check(void);
void world_watch(enum call_kind k);

/* Deterministic: 0 .. n - 1. */
uint32_t world_random(uint32_t n);

/* Only a failure is reported to the runner: one report per check would cost more than the check. */
static inline void must_hold(bool holds, const char *condition, const char *file, int line)
{
    if (!holds)
        cr_assert(holds, "%s:%d: %s", file, line, condition);
}
#define must(condition) must_hold((condition), #condition, __FILE__, __LINE__)
