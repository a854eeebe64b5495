/* SPDX-License-Identifier: MIT
 * The first instructions of every process. The kernel enters _start with RSP at the stack's top, 16-aligned, and all
 * other registers zero. The first instruction reads the time, for boot.to_user; main's value is the exit code. */
    .section .text.start, "ax"
    .globl _start
    .type _start, @function
_start:
    .cfi_startproc
    .cfi_undefined rip
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    movq %rax, tern_start_tsc(%rip)
    xorl %ebp, %ebp
    call main
    movl %eax, %edi
    call process_exit
    ud2
    .cfi_endproc
    .size _start, . - _start

/* A thread: RDI its function, RSI the argument. */
    .text
    .globl tern_thread_entry
    .type tern_thread_entry, @function
tern_thread_entry:
    .cfi_startproc
    .cfi_undefined rip
    movq %rdi, %rax
    movq %rsi, %rdi
    xorl %ebp, %ebp
    call *%rax
    movl %eax, %edi
    call thread_exit
    ud2
    .cfi_endproc
    .size tern_thread_entry, . - tern_thread_entry

    .bss
    .globl tern_start_tsc
    .balign 8
    .type tern_start_tsc, @object
    .size tern_start_tsc, 8
tern_start_tsc:
    .skip 8

    .section .note.GNU-stack, "", @progbits
