/* SPDX-License-Identifier: MIT
 * SYSENTER in a constant, where no look at the code finds it: from its second byte on, the move is SYSENTER and RET. */
    .text
    .globl sysenter_in_a_constant
    .type sysenter_in_a_constant, @function
    .balign 16
sysenter_in_a_constant:
    xorl %eax, %eax             /* debug_nop */
    movq %rsp, %r11
    jmp 1f + 1
1:  movl $0x00c3340f, %ecx

    .section .note.GNU-stack, "", @progbits
