/* SPDX-License-Identifier: MIT
 * The system calls as entry.S sees them. Calls that are there from boot (sys/abi/syscalls.def) have a row in two
 * tables: the handler, and the only legal return address, that of the vDSO's instruction for this number. All other
 * numbers below SYSCALL_MAX have an instruction too and go to sys/syscall/extension.c. A handler gets six raw register
 * values and decides everything. */
#pragma once
#include <stdint.h>
#include "sched/sched.h"

#define SYSCALL_MAX 512
#define SYSCALL_TABLE 64 /* rows, a power of two: the index is masked */

typedef struct result (*syscall_handler)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

#define DEFINE_SYSCALL(number, name, ...)                                                                              \
    struct result sys_##name(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL

/* Two handlers may go straight to another thread (sys/fastpath.c); these do not. */
struct result sys_channel_transact_careful(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
struct result sys_channel_respond_and_wait_careful(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

enum {
#define DEFINE_SYSCALL(number, name, ...) SYSCALL_IS_##name,
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL
    SYSCALL_BUILT_IN /* how many there are */
};
_Static_assert(SYSCALL_BUILT_IN <= SYSCALL_TABLE, "a larger power of two");

/* How often each number was called on this CPU; entry.S counts. PERCPU */
extern uint64_t syscall_counts[SYSCALL_MAX];

/* The same of all CPUs, roughly now. `number` is below SYSCALL_MAX. */
uint64_t syscall_calls(uint32_t number);

/* Makes a call whose end the caller wants to see: returns the result, or never (then the thread's result is the call's,
 * once it goes on). */
struct result syscall_dispatch(uint32_t number, const uint64_t arguments[6]);

/* A call that did not come from the vDSO's instruction for its number: stops the process. From entry.S. */
_Noreturn void syscall_bad_origin(uint64_t number);
