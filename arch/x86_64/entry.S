/* SPDX-License-Identifier: MIT
 * Every way into the kernel from user mode and back out. Nothing is decided here. The kernel runs with interrupts off on this
 * CPU's one stack, from the top, each time; the thread's registers go straight into struct thread (struct frame is its head):
 *
 *   %gs:percpu_head.current -> struct thread:  r15 r14 r13 r12 r11 r10 r9 r8 rbp rdi rsi rdx rcx rbx rax
 *                                              vector error | rip cs rflags rsp ss      <- pushed by the CPU on an interrupt
 *
 * A system call saves rbx rbp r12-r15 rip rflags rsp only: the vDSO's callers expect the rest to be lost. On the way out
 * those are cleared, so that no kernel value reaches a user. A handler that returns goes back to its caller, whose callee-saved
 * registers C has kept; one that switches ends in thread_resume, which takes all from struct thread and never returns: the
 * kernel stack is simply left. NMI, debug, double fault and machine check have stacks of their own (IST) and may hit
 * anywhere here; they look at the interrupted CS and, in the kernel, at the sign of GS base. */
#include "arch/x86_64/asm.h"
#include "arch/x86_64/asm_offsets.h"
#include "sys/abi/layout.h"

#define HEAD(field) %gs:percpu_head + field

/* Back to the thread in RDI by SYSRETQ; RAX:RDX is its result, everything a call may change is cleared. The user's GS
 * base and stack come last: an interrupt that a hypervisor delivers against IF (sys/trap.c) is survived until then. */
.macro EXIT_TO_USER
    movq FRAME_RIP(%rdi), %rcx
    movq FRAME_RFLAGS(%rdi), %r11
    xorl %esi, %esi
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    swapgs
    movq FRAME_RSP(%rdi), %rsp
    xorl %edi, %edi
    sysretq
.endm

.macro RESTORE_CALLEE_SAVED
    movq FRAME_RBX(%rdi), %rbx
    movq FRAME_RBP(%rdi), %rbp
    movq FRAME_R12(%rdi), %r12
    movq FRAME_R13(%rdi), %r13
    movq FRAME_R14(%rdi), %r14
    movq FRAME_R15(%rdi), %r15
.endm

.macro PUSH_REGISTERS
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
.endm

.macro POP_REGISTERS
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rbp
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rbx
    popq %rax
    addq $16, %rsp
.endm

/* From `start` to here the user's registers are not in struct thread yet: a row of entry_unsaved. */
.macro UNSAVED start
.Lsaved\@:
    .pushsection .rodata
    .quad \start, .Lsaved\@
    .popsection
.endm

    .section .rodata, "a"
    .globl entry_unsaved
    .balign 8
entry_unsaved:

    .section .text.entry, "ax"

/* The user's registers into struct thread, whose address is in RSP; RCX return address, R11 flags. */
.macro SAVE_CALLER
    movq %rcx, FRAME_RIP(%rsp)
    movq %r11, FRAME_RFLAGS(%rsp)
    movq %rbx, FRAME_RBX(%rsp)
    movq %rbp, FRAME_RBP(%rsp)
    movq %r12, FRAME_R12(%rsp)
    movq %r13, FRAME_R13(%rsp)
    movq %r14, FRAME_R14(%rsp)
    movq %r15, FRAME_R15(%rsp)
.endm

/* From SYSCALL to a known caller: only the vDSO's instruction for this very number is legal. `call`: what to do with a
 * number that has a row in the tables; jumps to `other` for the rest. */
.macro ENTER_BY_SYSCALL call, other
.Lenter\@:
    swapgs
    movq %rsp, HEAD(HEAD_USER_RSP)
    movq HEAD(HEAD_CURRENT), %rsp
    SAVE_CALLER
    movq HEAD(HEAD_USER_RSP), %r11
    movq %r11, FRAME_RSP(%rsp)
    UNSAVED .Lenter\@
    movq HEAD(HEAD_STACK_TOP), %rsp
    cmpq $SYSCALL_BUILT_IN, %rax
    jae \other
    andl $(SYSCALL_TABLE - 1), %eax         /* also where the CPU only guesses that it is below */
    cmpq %rcx, syscall_sites(, %rax, 8)
    jne syscall_refuse
    incq %gs:syscall_counts(, %rax, 8)
    movq %r10, %rcx
    \call
.endm

/* RAX number; RDI RSI RDX R10 R8 R9 arguments; RCX return address, R11 flags. */
    .globl syscall_entry
    .balign 64
syscall_entry:
    ENTER_BY_SYSCALL "call *syscall_handlers(, %rax, 8)", syscall_other

/* The same thread goes on; RAX:RDX is the result of its call. */
syscall_return:
    movq HEAD(HEAD_CURRENT), %rdi
    EXIT_TO_USER

/* A number without a row: its instruction is in the slots behind the vDSO's page. */
.macro CHECK_SLOT
    cmpq $SYSCALL_MAX, %rax
    jae syscall_refuse
    movl %eax, %r11d
    shll $USER_CALL_SHIFT, %r11d
    addl $USER_CALL_SITE, %r11d
    cmpq %r11, %rcx
    jne syscall_refuse
.endm

syscall_other:
    CHECK_SLOT
syscall_extension:
    incq %gs:syscall_counts(, %rax, 8)
    movq %r10, %rcx
    pushq %rax
    pushq %rax                              /* the seventh argument */
    call extension_call
    jmp syscall_return

syscall_refuse:
    movq %rax, %rdi
    call syscall_bad_origin
    ud2

/* While hooks are installed on this CPU its calls enter here instead: they cost nothing otherwise. */
    .globl syscall_entry_hooked
    .balign 64
syscall_entry_hooked:
    ENTER_BY_SYSCALL "jmp syscall_hooked_call", syscall_other_hooked
syscall_other_hooked:
    CHECK_SLOT
sysenter_other_hooked:
    incq %gs:syscall_counts(, %rax, 8)
    movq %r10, %rcx
syscall_hooked_call:
    pushq %rax
    pushq %rax
    call hook_around
    jmp syscall_return

/* SYSENTER: the CPU kept neither return address nor flags nor stack; R11 is the user's stack. The return address is that
 * of the number's instruction in the vDSO, wherever this came from; no other executable page holds the instruction
 * (sys/vdso/sysenter.c). SYSENTER leaves TF, AC, NT and DF as they were: POPFQ clears them, and a debug exception before
 * that, which TF can bring about, is dropped by trap_kernel. */
.macro ENTER_BY_SYSENTER other
.Lenter\@:
    swapgs
    pushq $2
    popfq
    movq HEAD(HEAD_CURRENT), %rsp
    movq %r11, FRAME_RSP(%rsp)
    movl $USER_RFLAGS, %r11d
    cmpq $SYSCALL_BUILT_IN, %rax
    jae \other
    andl $(SYSCALL_TABLE - 1), %eax
    movq syscall_sites(, %rax, 8), %rcx
    addq $SYSENTER_SITE_SHIFT, %rcx
    SAVE_CALLER
    UNSAVED .Lenter\@
    movq HEAD(HEAD_STACK_TOP), %rsp
    incq %gs:syscall_counts(, %rax, 8)
    movq %r10, %rcx
.endm

.macro ENTER_OTHER_BY_SYSENTER
.Lother\@:
    movl %eax, %ecx
    shll $USER_CALL_SHIFT, %ecx
    addl $USER_CALL_SITE + SYSENTER_SITE_SHIFT, %ecx
    SAVE_CALLER
    UNSAVED .Lother\@
    movq HEAD(HEAD_STACK_TOP), %rsp
    cmpq $SYSCALL_MAX, %rax
    jae syscall_refuse
.endm

    .globl sysenter_entry, sysenter_entry_hooked, sysenter_entry_end
    .balign 64
sysenter_entry:
    ENTER_BY_SYSENTER sysenter_other
    call *syscall_handlers(, %rax, 8)
    jmp syscall_return
sysenter_other:
    ENTER_OTHER_BY_SYSENTER
    jmp syscall_extension

sysenter_entry_hooked:
    ENTER_BY_SYSENTER 1f
    jmp syscall_hooked_call
1:  ENTER_OTHER_BY_SYSENTER
    jmp sysenter_other_hooked
sysenter_entry_end:

/* Another thread, in RDI, is current now and goes on with what it was blocked or interrupted in. */
    .globl thread_resume
thread_resume:
    cmpb $0, THREAD_RESUME(%rdi)
    jne resume_special
resume_call:
    movq THREAD_STATUS(%rdi), %rax
    movq THREAD_VALUE(%rdi), %rdx
    RESTORE_CALLEE_SAVED
    EXIT_TO_USER

/* The same for a thread that was blocked in a call, which gives OK and RDX. No hook wants to see its end: while there
 * are hooks nobody goes straight to another thread. */
    .globl thread_resume_ok
thread_resume_ok:
    xorl %eax, %eax
    RESTORE_CALLEE_SAVED
    EXIT_TO_USER

resume_special:
    testb $THREAD_INTERRUPTED, THREAD_RESUME(%rdi)
    jnz return_full
    movq HEAD(HEAD_STACK_TOP), %rsp
    call hook_end
    movq HEAD(HEAD_CURRENT), %rdi
    jmp resume_call

/* The thread in RDI was interrupted: all registers come back, by IRETQ. */
return_full:
    movb $0, THREAD_RESUME(%rdi)
    movq %rdi, %rsp
    POP_REGISTERS
    swapgs
    iretq

/* Starts the first thread of a CPU: from C, never returns. */
    .globl enter_user
enter_user:
    movq HEAD(HEAD_STACK_TOP), %rsp
    call sched_start
    ud2

/* 256 stubs of 16 bytes: vector and error code on the stack, then trap_entry. */
    .globl trap_stubs
    .balign 16
trap_stubs:
vector = 0
.rept 256
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    pushq $0
    .endif
    pushq $vector
    .if vector == 1 || vector == 2 || vector == 8 || vector == 18
    jmp trap_entry_ist
    .else
    jmp trap_entry
    .endif
vector = vector + 1
.endr

trap_entry:
    testb $3, 24(%rsp)
    jz trap_from_kernel
    swapgs
trap_from_user:
    lfence                      /* a CPU that guessed the branch above would use the user's GS base */
    PUSH_REGISTERS
    movq %rsp, %rsi
    movq HEAD(HEAD_CURRENT), %rdi
    movb $THREAD_INTERRUPTED, THREAD_RESUME(%rdi)
    movl $22, %ecx
    rep movsq
    UNSAVED trap_stubs
    movq HEAD(HEAD_STACK_TOP), %rsp
    pushq $2                    /* no user flag reaches C: AC would switch SMAP off */
    popfq
    xorl %ebp, %ebp
    movq HEAD(HEAD_CURRENT), %rdi
    call trap_user
    movq HEAD(HEAD_CURRENT), %rdi
    jmp return_full

/* Interrupts while this CPU idles, or a fault of the kernel itself. */
trap_from_kernel:
    lfence
    PUSH_REGISTERS
    movq %rsp, %rdi
    movq 8 * 8(%rsp), %rbp
    call trap_kernel
    POP_REGISTERS
    iretq

/* On a stack of its own: from user mode as any trap; from the kernel GS base may still be the user's.
 *
 * An NMI may come before the IRETQ of the last one has ended, where a hypervisor unblocks them too early (Xen intercepts that
 * IRETQ and trusts in an interrupt shadow, which QEMU's SVM loses). The CPU pushes its frame where the last one's was. So
 * what IRETQ takes is a copy right below; it is whole then, and the handler runs once more with it. */
#define IST_FRAME (8 * 7) /* vector, error, and what the CPU pushes */
trap_entry_ist:
    testb $3, 24(%rsp)
    jz 1f
    swapgs
    jmp trap_from_user
1:  cmpq $ist_return, 16(%rsp)
    je ist_again
ist_copy:
    .rept IST_FRAME / 8
    pushq IST_FRAME - 8(%rsp)
    .endr
ist_work:
    PUSH_REGISTERS
    movl $MSR_GS_BASE, %ecx
    rdmsr
    xorl %ebx, %ebx
    testl %edx, %edx
    js 2f
    swapgs
    incl %ebx
2:  lfence
    movq %rsp, %rdi
    movq 8 * 8(%rsp), %rbp
    pushq $2                    /* before the entry's own POPFQ AC is still the user's */
    popfq
    pushq %rbx
    call trap_kernel
    popq %rbx
    testl %ebx, %ebx
    jz 3f
    swapgs
3:  POP_REGISTERS
ist_return:
    iretq

ist_again:
    subq %rsp, 40(%rsp)         /* was RSP that of the copy behind its first two words? */
    cmpq $16 - IST_FRAME, 40(%rsp)
    jne 1f
    subq $IST_FRAME, %rsp
    jmp ist_work
1:  addq %rsp, 40(%rsp)         /* no: another stack's */
    jmp ist_copy

    .section .rodata
    .globl entry_unsaved_end
entry_unsaved_end:
