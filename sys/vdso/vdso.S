/* SPDX-License-Identifier: MIT
 * The vDSO: two pages, mapped read/execute at USER_VDSO_BASE in each process, and two more behind them, with the only
 * legal system-call instructions and the reads that need no kernel. One stub per row of sys/abi/syscalls.def; the slots
 * of all other numbers are the kernel's to fill. The kernel compares the return address of a system call with
 * vdso_site_<name>, the instruction after that stub's `syscall`, so a number is legal in one place only. Arguments
 * arrive as in a C call; the kernel takes the fourth in R10, because `syscall` overwrites RCX. With entry=sysenter the
 * kernel rewrites the last six bytes of each stub (sys/vdso/vdso.c), for which there is room. */
#include "sys/abi/layout.h"
#include "sys/abi/vvar.h"

#define STATUS(name, code, sentence) .set STATUS_##name, code;
#include "sys/abi/status.def"
#undef STATUS

#define VVAR(offset) (USER_VVAR_BASE + (offset))

.macro FUNCTION name
    .balign 16, 0xcc
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
    .hidden vdso_site_\name
vdso_site_\name:
    ret
    .fill 3, 1, 0xcc
    .cfi_endproc
    .size \name, . - \name
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

/* A call that was registered at run time: number, then its arguments; OUT_OF_RANGE for a number that cannot be. */
    FUNCTION extension_call
    cmpq $USER_CALLS, %rdi
    jae 1f
    shll $USER_CALL_SHIFT, %edi
    leaq vdso_calls(%rip), %rax
    addq %rdi, %rax
    movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    movq %r8, %r10
    movq %r9, %r8
    movq 8(%rsp), %r9
    jmp *%rax
1:  movl $STATUS_OUT_OF_RANGE, %eax
    xorl %edx, %edx
    END extension_call

/* The slots: each is MOV number, EAX; SYSCALL; RET, or the longer form with SYSENTER. */
    .section .calls, "ax", @nobits
    .globl vdso_calls
    .hidden vdso_calls
    .type vdso_calls, @function
vdso_calls:
    .cfi_startproc
    .skip USER_CALLS * USER_CALL_BYTES
    .cfi_endproc
    .size vdso_calls, . - vdso_calls

    .section .note.GNU-stack, "", @progbits
