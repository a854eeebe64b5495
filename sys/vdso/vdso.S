/* SPDX-License-Identifier: MIT
 * The vDSO: one page, mapped read/execute at USER_VDSO_BASE in each process, with the only legal system-call
 * instructions and the reads that need no kernel. One stub per line of sys/abi/syscalls.def. The kernel compares the
 * return address of a system call with vdso_site_<name>, the instruction after that stub's `syscall`, so a number is
 * legal in one place only. Arguments arrive as in a C call; the kernel takes the fourth in R10, because `syscall`
 * overwrites RCX. */
#include "sys/abi/layout.h"
#include "sys/abi/vvar.h"

#define VVAR(offset) (USER_VVAR_BASE + (offset))

.macro FUNCTION name
    .balign 32, 0xcc
    .globl \name
    .type \name, @function
\name:
    .cfi_startproc
.endm

.macro END name
    ret
    .cfi_endproc
    .size \name, . - \name
.endm

.macro STUB number, name, count
    FUNCTION \name
    .if \count >= 4
    movq %rcx, %r10
    .endif
    movl $\number, %eax
    syscall
    .globl vdso_site_\name
vdso_site_\name:
    END \name
.endm

    .text
#define DEFINE_SYSCALL(number, name, count, ...) STUB number, name, count
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL

/* Nanoseconds since boot. No earlier load is still under way when the time stamp is read. */
    FUNCTION clock_now
    lfence
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    subq VVAR(VVAR_TSC_BASE), %rax
    mulq VVAR(VVAR_NS_MULT)
    shrdq $32, %rdx, %rax
    END clock_now

/* The home CPU of the calling process, on which it always runs. */
    FUNCTION cpu_id
    movl VVAR(VVAR_CPU), %eax
    END cpu_id

/* VVAR_FEATURE_* of this machine. */
    FUNCTION features
    movq VVAR(VVAR_FEATURES), %rax
    END features

    .section .note.GNU-stack, "", @progbits
