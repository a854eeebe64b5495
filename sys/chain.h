/* SPDX-License-Identifier: MIT
 * Chains of calls by frame pointers, for samples: who called whom, innermost first. They are walked in an NMI, so
 * nothing is taken for granted: a frame of the kernel is read only inside its stack, one of a process only inside a
 * readable region of that process, through the direct map. Frames must rise, so that every walk ends, after
 * PROFILE_FRAMES_MAX at the latest; a process that lies in its RBP gets a chain of its own invention and no more.
 *
 * A function that has not pushed its frame yet, or has left it, hides its caller, who is not behind RBP then. Where the
 * instruction shows that the return address is on top of the stack, it is taken from there: at PUSH RBP, behind it, at
 * RET, and anywhere in the vDSO, whose functions have no frames. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sched/process.h"
#include "sys/abi/profile.h"

/* Addresses without their upper half, which is the sign's (sys/abi/profile.h). */
struct chain {
    uint32_t count;
    bool cut; /* there were more */
    uint32_t frames[PROFILE_FRAMES_MAX];
};

/* Where a CPU or a thread is. */
struct place {
    uint64_t rip, rsp, rbp;
};

/* The kernel at `at`; its stack is [at->rsp, top). With `frames` false the chain is at->rip alone. */
void chain_kernel(struct chain *c, const struct place *at, uint64_t top, bool frames);

/* Ends a kernel's chain with the way in by which the thread came, unless its frames led there already: hot functions
 * have no frames (ipc/rules.mk), so of those only the innermost is in a chain. */
void chain_entry(struct chain *c, uint64_t return_address);

/* A thread of `p` at `at`; at->rip 0: it is not known where, and the chain is empty. */
void chain_user(struct chain *c, const struct process *p, const struct place *at);
