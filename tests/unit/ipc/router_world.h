/* SPDX-License-Identifier: MIT
 * CPUs for the router, on one host thread: each has its per-CPU variables and an inbox, and does something when the
 * test says so, or when another one waits for it. */
#pragma once
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "ipc/router.h"

#include <arch/percpu.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define CPUS 3

/* A module of the tests: what its handler does, and what became of it. */
struct toy {
    struct router_module module;
    enum status (*serve)(struct toy *t, struct router_message *m); /* NULL: OK */
    uint32_t calls;
    uint64_t data;
};

/* A request of the tests. */
struct ask {
    struct router_message m;
    char answer[64];
    uint32_t told;       /* how often `done` was called */
    enum status outcome; /* with what */
    void (*then)(struct ask *a);
};

extern uint64_t world_now; /* ns, and TSC */

/* What happens while a CPU waits; called there, may go to another. At first: every other CPU does one thing, those
 * that wait themselves what they can do then. */
extern void (*world_pause)(void);
void world_others(void);

/* What was served and told, a letter each: toys' `data`, types' first letters. */
extern char world_trace[4096];
void world_note(char what);

void world_begin(void);
void world_enter(uint32_t cpu);

/* The oldest message of the inbox of this CPU; false: none. */
bool world_step(void);

/* All CPUs, until no inbox holds anything. Ends on the CPU where it began. */
void world_settle(void);

/* Messages that wait in the inbox of `cpu`. */
uint32_t world_messages(uint32_t cpu);

/* Every CPU's modules are in order. */
bool world_is_valid(void);

/* On `cpu`, with these number and name; world_toy must succeed. */
enum status world_register(struct toy *t, uint32_t cpu, uint32_t id, const char *name);
void world_toy(struct toy *t, uint32_t cpu, uint32_t id, const char *name);

/* A free message; its type is one letter. */
void world_ask(struct ask *a, char type);
enum status world_send(uint32_t id, struct ask *a);
enum status world_post(uint32_t id, struct ask *a, enum router_priority priority);

/* `status` of a call that must say so. */
#define must(call, expected) cr_assert(eq(int, (int)(call), (int)STATUS_##expected))

/* It was told once. */
#define must_be_told(a, expected)                                                                                      \
    do {                                                                                                               \
        cr_assert(eq(u32, (a)->told, 1));                                                                              \
        cr_assert(eq(int, (int)(a)->outcome, STATUS_##expected));                                                      \
        cr_assert(not(router_is_busy(&(a)->m)));                                                                       \
    } while (0)
