/* SPDX-License-Identifier: MIT
 * Some CPUs with a few threads each, on which the kernel's own hook.c runs: inboxes are queues that the test delivers
 * from when it likes, the entry is a function, and a call may block. Hooks are numbered; each note what it sees, as
 * characters of `trace`: `<2` its pre-hook, `*` the call itself, `>2` its post-hook, `^2` its start on a CPU. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sys/syscall/hook.h"

enum { CPUS_MAX = 4, THREADS_PER_CPU = 3, HOOKS = HOOK_MAX + 1, TRACE_BYTES = 256 };

struct world {
    struct thread threads[CPUS_MAX][THREADS_PER_CPU];
    struct process process;
    uint32_t cpus;
    char trace[TRACE_BYTES];
    int refusing;                   /* the hook whose pre-hook refuses, or -1 */
    bool blocks;                    /* the next call does not return */
    void (*inside)(void);           /* what happens while the next call is under way; NULL */
    struct result result;           /* of the next call that returns */
    struct result seen;             /* by the last post-hook */
    struct syscall_context context; /* as the last hook saw it */
};
extern struct world world;
extern struct syscall_hook hooks_of_test[HOOKS];

/* Boot with so many CPUs; the running one is 0. */
void world_create(uint32_t cpus);

/* Another CPU goes on. */
void world_enter(uint32_t cpu);

/* Calls of the running CPU enter by way of hooks. */
bool world_is_hooked(void);

/* A call by a thread of the running CPU, by way of the hooks if its entry register says so; true if it returned, and
 * then *result is its. Clears the trace first. */
bool world_call(uint32_t thread, uint32_t number, struct result *result);

/* A thread of the running CPU that was blocked in a call goes on, with this result. Clears the trace first. */
void world_wake(uint32_t thread, struct result result);

/* The running CPU takes one message, false if there is none; the one that it would take, NULL. */
bool world_deliver_one(void);
const struct inbox_message *world_peek(void);

/* All messages of all CPUs, now one and now another CPU's, until there are none. */
void world_deliver(void);

/* How many messages are under way. */
uint32_t world_messages(void);

/* hook_add or hook_remove, from the running CPU, and delivery until it is done. */
void world_switch(int hook, bool on);

/* 0 .. n - 1, the same in every run. */
uint32_t world_random(uint32_t n);
