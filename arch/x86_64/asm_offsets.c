/* SPDX-License-Identifier: MIT
 * Structure offsets that entry.S needs, left in this file's assembly as strings, of which rules.mk makes
 * `#define NAME value`. */
#include "sched/process.h"
#include "sched/thread.h"
#include "sys/syscall/table.h"

#include <arch/frame.h>
#include <arch/percpu.h>
#include <stddef.h>

#define CONSTANT(name, value) __asm__(".ascii \"->" #name " %c0\"" ::"i"(value))
#define OFFSET(name, type, member) CONSTANT(name, offsetof(type, member))

void asm_offsets(void);
void asm_offsets(void)
{
    CONSTANT(SYSCALL_BUILT_IN, SYSCALL_BUILT_IN);
    CONSTANT(SYSCALL_TABLE, SYSCALL_TABLE);
    CONSTANT(SYSCALL_MAX, SYSCALL_MAX);
    CONSTANT(THREAD_INTERRUPTED, THREAD_INTERRUPTED);
    OFFSET(HEAD_CURRENT, struct percpu_head, current);
    OFFSET(HEAD_USER_RSP, struct percpu_head, user_rsp);
    OFFSET(HEAD_STACK_TOP, struct percpu_head, stack_top);
    OFFSET(FRAME_R15, struct frame, r15);
    OFFSET(FRAME_R14, struct frame, r14);
    OFFSET(FRAME_R13, struct frame, r13);
    OFFSET(FRAME_R12, struct frame, r12);
    OFFSET(FRAME_RBP, struct frame, rbp);
    OFFSET(FRAME_RBX, struct frame, rbx);
    OFFSET(FRAME_RIP, struct frame, rip);
    OFFSET(FRAME_RFLAGS, struct frame, rflags);
    OFFSET(FRAME_RSP, struct frame, rsp);
    OFFSET(FRAME_CS, struct frame, cs);
    OFFSET(FRAME_VECTOR, struct frame, vector);
    OFFSET(THREAD_RESUME, struct thread, resume);
    OFFSET(THREAD_STATUS, struct thread, result.status);
    OFFSET(THREAD_VALUE, struct thread, result.value);
}
