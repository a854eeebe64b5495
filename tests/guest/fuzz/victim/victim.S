/* SPDX-License-Identifier: MIT
 * A process that the judge (tests/guest/fuzz/judge/victims.c) lets jump anywhere with any registers. It asks for an order:
 * all registers, RIP included; takes them; and if the jump ever comes back, by a RET, which finds `landed` on every word
 * of the stack, it asks again and tells what the registers are then, together with its memory. At first it tells where
 * things are. The channel to the judge is its only object, so its handle is 0. */
#include "tests/guest/registers.h"
#include "tests/guest/fuzz/victim.h"

    .text
    .globl main
    .type main, @function
main:
    xorl %esi, %esi                     /* nobody to answer yet; this is a greeting */
    call next
ask:
    movl $answer, %esi
    call next
    movl $landings, %edi
    movl $VICTIM_STACK_WORDS, %ecx
    movl $landed, %eax
    rep stosq
    pushq order + 8 * REGISTER_RFLAGS
    popfq
    movq order + 8 * REGISTER_RSP, %rsp
    LOAD_GENERAL order
    jmp *order + 8 * REGISTER_RIP

landed:
    STORE_GENERAL answer + VICTIM_REGISTERS
    movl $own_stack_end, %esp
    pushfq
    popq answer + VICTIM_REGISTERS + 8 * REGISTER_RFLAGS
    pushq $2
    popfq
    jmp ask

/* Answers with what is at RSI, waits for the next order. */
next:
    xorl %edi, %edi
    movl $VICTIM_ANSWER_BYTES, %edx
    movl $order, %ecx
    movl $8 * REGISTERS, %r8d
    movq $-1, %r9
    call channel_respond_and_wait
    testl %eax, %eax
    jnz 1f
    ret
1:  movl $1, %edi                       /* the judge would not wait */
    call process_exit
    .size main, . - main

/* SYSCALLs that no look at the code finds: each from the second byte of a move on, followed by a return. */
    .balign 16
hidden:
    .rept VICTIM_HIDDEN_BYTES / 5
    movl $0x00c3050f, %ecx
    .endr
    ret

.macro WORDS count, value
    .rept \count
    .quad \value
    .endr
.endm

    .section .rodata
    .balign 8
read_only:
    WORDS VICTIM_GUARD_WORDS, VICTIM_CANARY

/* One block, all of which is the answer: guarded memory that the kernel may not touch, and some that it may. */
    .data
    .balign 64
answer:
    WORDS VICTIM_GUARD_WORDS, VICTIM_CANARY
    .quad hidden, landings + VICTIM_STACK_WORDS * 4, playground, read_only
    WORDS (REGISTERS - 4), 0
    WORDS VICTIM_GUARD_WORDS, VICTIM_CANARY
playground:
    WORDS VICTIM_PLAYGROUND_WORDS, 0x6f6f6f6f6f6f6f6f
    WORDS VICTIM_GUARD_WORDS, VICTIM_CANARY
    .if . - answer - VICTIM_ANSWER_BYTES
    .error "tests/guest/fuzz/victim.h has another size"
    .endif

    .bss
    .balign 64
order:
    .skip 8 * REGISTERS
landings:
    .skip 8 * VICTIM_STACK_WORDS
    .skip 1024
own_stack_end:

    .section .note.GNU-stack, "", @progbits
