/* SPDX-License-Identifier: MIT
 * long kvm_hypercall(number, a, b, c, d): KVM takes them in RAX, RBX, RCX, RDX and RSI, and keeps all but RAX. */
    .text
    .globl kvm_hypercall
    .type kvm_hypercall, @function
kvm_hypercall:
    pushq %rbx
    movq %rdi, %rax
    movq %rsi, %rbx
    movq %rcx, %rdi
    movq %rdx, %rcx
    movq %rdi, %rdx
    movq %r8, %rsi
    cmpb $0, kvm_hypercall_amd(%rip)
    jne 1f
    vmcall
    popq %rbx
    ret
1:  vmmcall
    popq %rbx
    ret
    .size kvm_hypercall, . - kvm_hypercall
