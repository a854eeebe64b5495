/* SPDX-License-Identifier: MIT
 * C's side of call.S: makes a call and checks every register after it. For one source file of a program. */
#pragma once
#include "sys/abi/layout.h"
#include "sys/abi/vvar.h"
#include "tests/guest/check.h"
#include "tests/guest/entry/entry.h"
#include "tests/guest/registers.h"

/* Of requests to the server. */
enum entry_order { ENTRY_ECHO, ENTRY_YIELD };

void entry_call(void);

uint64_t entry_argument[7], entry_way, entry_function, entry_stack;
struct registers entry_after;

/* SYSENTER keeps no flags; with SYSCALL the status flags may be the stub's. */
static inline void entry_check_flags(const char *way)
{
    const struct registers *r = &entry_after;
    check_u64(way, r->rflags, r->r11);
    if (features() & VVAR_FEATURE_SYSENTER)
        check_u64(way, r->rflags, 0x202);
    else
        check_u64(way, r->rflags & ~(uint64_t)ENTRY_STATUS_FLAGS, ENTRY_RFLAGS & ~(uint64_t)ENTRY_STATUS_FLAGS);
}

static inline void entry_check_kept(const char *way)
{
    const struct registers *r = &entry_after;
    check_u64(way, r->rbx, ENTRY_RBX);
    check_u64(way, r->rbp, ENTRY_RBP);
    check_u64(way, r->r12, ENTRY_R12);
    check_u64(way, r->r13, ENTRY_R13);
    check_u64(way, r->r14, ENTRY_R14);
    check_u64(way, r->r15, entry_way);
    check_u64(way, r->rsp, entry_stack);
}

/* Nothing of the kernel is in the registers that a call may change. */
static inline void entry_check_cleared(const char *way)
{
    const struct registers *r = &entry_after;
    check_u64(way, r->rsi | r->rdi | r->r8 | r->r9 | r->r10, 0);
    check_at_least(way, r->rcx, USER_VDSO_BASE);
    check_at_most(way, r->rcx, USER_CALLS_BASE + USER_CALLS * USER_CALL_BYTES);
}

/* `way`: up to eight characters. Unused arguments are 0. */
static inline void entry_make(const char *way, const void *function, const uint64_t argument[static 7],
                              enum status status, uint64_t value)
{
    entry_way = 0;
    memcpy(&entry_way, way, strlen(way));
    memcpy(entry_argument, argument, sizeof entry_argument);
    entry_function = (uint64_t)function;
    entry_call();
    entry_check_kept(way);
    entry_check_cleared(way);
    entry_check_flags(way);
    check_status(way, (enum status)entry_after.rax, status);
    check_u64(way, entry_after.rdx, value);
}

#define ENTRY_MAKE(way, function, status, value, ...)                                                                  \
    entry_make(way, (const void *)(function), (const uint64_t[7]){__VA_ARGS__}, status, value)
