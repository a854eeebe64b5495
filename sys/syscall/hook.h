/* SPDX-License-Identifier: MIT
 * Hooks around every system call. Each CPU has its own ordered list, which only it changes and walks, so nothing is
 * locked and nothing read that another CPU writes. While the list is empty the CPU's calls enter the kernel elsewhere
 * (<arch/entry.h>): no hook costs no instruction.
 *
 *   entry -> origin check -> pre-hooks in order -> validation -> handler -> post-hooks in order -> return
 *
 * A pre-hook that refuses a call ends the pre-hooks; neither validation nor handler run. Post-hooks see every call that
 * returns, refused and invalid ones too, and cannot change its result; a hook sees the end of a call only if it was
 * there at its beginning. A call that never returns (exit, or its process stopped) has no end. A call from a wrong
 * origin is none: its process stops.
 *
 * Adding and removing: from any CPU, while calls run. The boot CPU puts changes in one order and sends each to every
 * CPU; a CPU takes it as a message, and messages run only where no hook runs. So when hook_state says OFF the hook runs
 * nowhere and never will, and when it says ON every later call everywhere is seen. */
#pragma once
#include <stdbool.h>
#include "sched/sched.h"

#define HOOK_MAX 8 /* known at once, on or off */

enum hook_state { HOOK_OFF, HOOK_STARTING, HOOK_ON, HOOK_STOPPING };

struct syscall_hook {
    const char *name;
    /* True: the call is refused with *result. In the kernel, interrupts off; may not block. NULL: none. */
    bool (*pre)(const struct syscall_context *call, struct result *result);
    void (*post)(const struct syscall_context *call, const struct result *result);
    void (*start)(void); /* on each CPU, before the first call there is seen. NULL: nothing to do */
    uint32_t state;      /* [a] enum hook_state */
    uint32_t waiting;    /* [o] boot CPU: CPUs that have not answered yet */
};

/* Boot, before other CPUs run: how many will. */
void hook_init(uint32_t cpus);

/* How many messages can be under way to one CPU because of hooks. */
size_t hook_messages(uint32_t cpus);

/* Any CPU. Begins the change; OK also if it is under way or done already. RESOURCE_EXHAUSTED: HOOK_MAX others are on;
 * UNAVAILABLE: the opposite change is under way. */
enum status hook_add(struct syscall_hook *h);
enum status hook_remove(struct syscall_hook *h);

/* Any CPU. */
enum hook_state hook_state(const struct syscall_hook *h);

/* From entry.S: a call with hooks around it; and the end of one that had blocked. */
struct result hook_around(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                          uint64_t number);
void hook_end(struct thread *t);
