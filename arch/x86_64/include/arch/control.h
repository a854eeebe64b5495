/* SPDX-License-Identifier: MIT
 * Control registers, descriptor tables, interrupt flag. Kernel only; host tests never include it. */
#pragma once
#include "arch/x86_64/asm.h"

#include <stdbool.h>
#include <stdint.h>

#define OPCODE_HLT 0xf4

static inline uint64_t cr0_read(void)
{
    uint64_t v;
    __asm__ volatile("movq %%cr0, %0" : "=r"(v));
    return v;
}
static inline void cr0_write(uint64_t v)
{
    __asm__ volatile("movq %0, %%cr0" ::"r"(v) : "memory");
}
static inline uint64_t cr2_read(void)
{
    uint64_t v;
    __asm__ volatile("movq %%cr2, %0" : "=r"(v));
    return v;
}
static inline uint64_t cr3_read(void)
{
    uint64_t v;
    __asm__ volatile("movq %%cr3, %0" : "=r"(v));
    return v;
}
static inline void cr3_write(uint64_t v)
{
    __asm__ volatile("movq %0, %%cr3" ::"r"(v) : "memory");
}
static inline uint64_t cr4_read(void)
{
    uint64_t v;
    __asm__ volatile("movq %%cr4, %0" : "=r"(v));
    return v;
}
static inline void cr4_write(uint64_t v)
{
    __asm__ volatile("movq %0, %%cr4" ::"r"(v) : "memory");
}

static inline void interrupts_off(void)
{
    __asm__ volatile("cli" ::: "memory");
}

/* Lets pending interrupts in, one instruction wide. */
static inline void interrupts_window(void)
{
    __asm__ volatile("sti; nop; cli" ::: "memory");
}

/* Halts until an interrupt: STI takes effect after HLT has begun, so none is lost between. Returns with interrupts off.
 * Whoever interrupts it must see to it that the HLT is not executed (interrupts_halt_skip). */
static inline void interrupts_halt(void)
{
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}

/* An NMI may come between STI and HLT, and its IRET lets the interrupt in that HLT would wait for: then HLT would wait
 * for ever. So may an interrupt where a hypervisor loses STI's shadow over an exit, as under QEMU's SVM (stress_cross
 * hung so under nested KVM and Xen); its handler returns with interrupts off, and no HLT ends that. If the kernel goes
 * on at `rip` with `rflags` there, the address behind it, otherwise `rip`. */
static inline uint64_t interrupts_halt_skip(uint64_t rip, uint64_t rflags)
{
    bool halts = (rflags & RFLAGS_IF) && *(const uint8_t *)rip == OPCODE_HLT;
    return halts ? rip + 1 : rip;
}

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static inline void gdt_load(const struct table_pointer *p)
{
    __asm__ volatile("lgdt %0" ::"m"(*p));
}
/* Xen starts a CPU in long mode with the selector 0 in CS: interrupts would push that, and IRETQ refuse it. */
static inline void code_segment_load(uint64_t selector)
{
    uint64_t to;
    __asm__ volatile("leaq 1f(%%rip), %0; pushq %1; pushq %0; lretq; 1:" : "=&r"(to) : "r"(selector) : "memory");
}
static inline void idt_load(const struct table_pointer *p)
{
    __asm__ volatile("lidt %0" ::"m"(*p));
}
static inline void task_register_load(uint16_t selector)
{
    __asm__ volatile("ltr %0" ::"r"(selector));
}

_Noreturn static inline void cpu_stop(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" ::: "memory");
}
