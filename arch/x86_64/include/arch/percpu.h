/* SPDX-License-Identifier: MIT
 * Per-CPU variables. PERCPU(type, name) in the file that owns it defines a template; each CPU has a copy, and GS base
 * is the distance from the template to this CPU's copy, so `this_cpu(name)` is one instruction with a GS prefix. Only
 * the CPU itself touches its copy; `cpu_ptr(cpu, name)` is the rare remote look, and each use says why it is sound. The
 * first 64 bytes are struct percpu_head, whose offsets entry.S knows. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define CPU_MAX 64
#define KERNEL_STACK_BYTES 16384 /* below percpu_head.stack_top */

struct thread;

struct percpu_head {
    struct thread *current; /* whose registers the CPU holds or saves next; never NULL once threads run */
    uint64_t user_rsp;      /* scratch of the system-call entry */
    uint64_t stack_top;     /* of this CPU's only kernel stack */
    uint64_t gs_offset;     /* this CPU's copy minus the template: the value of GS base */
    uint32_t cpu;           /* index, 0 is the boot CPU */
    uint32_t apic_id;
    uint64_t reserved[3];
};
_Static_assert(sizeof(struct percpu_head) == 64, "one cache line");

#define PERCPU(type, name) __attribute__((section(".percpu"), aligned(64))) typeof(type) name
/* The same for what begins as zero: takes no room in the ELF. */
#define PERCPU_ZERO(type, name) __attribute__((section(".bss.percpu"), aligned(64))) typeof(type) name

extern struct percpu_head percpu_head;

#define this_cpu(name) (*(__seg_gs typeof(name) *)(uintptr_t) & (name))
#define this_cpu_ptr(name) ((typeof(name) *)(void *)((char *)&(name) + this_cpu(percpu_head).gs_offset))
#define cpu_ptr(cpu, name) ((typeof(name) *)(void *)((char *)&(name) + percpu_offset(cpu)))

static inline uint32_t cpu_index(void)
{
    return this_cpu(percpu_head).cpu;
}

/* GS base of another CPU; 0 while it has no area. */
uint64_t percpu_offset(uint32_t cpu);

/* Gives `cpu` its copy of the template and its guarded stacks. Boot CPU only, before the CPU starts. */
void percpu_create(uint32_t cpu);

/* Makes the running CPU `cpu`: GS base. */
void percpu_activate(uint32_t cpu);
