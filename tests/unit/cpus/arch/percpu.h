/* SPDX-License-Identifier: MIT
 * Host stand-in with several CPUs, as the kernel has them: a template of all per-CPU variables, a copy for each CPU,
 * and a word that says which copy is this CPU's. A thread is a CPU, or a test goes from one to the other. Put before
 * tests/unit/include in the search path. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define CPU_MAX 4

struct thread;

struct percpu_head {
    struct thread *current;
    uint32_t cpu, apic_id;
};

#define PERCPU(type, name) __attribute__((section("percpu"), aligned(64))) typeof(type) name
#define PERCPU_ZERO(type, name) PERCPU(type, name)

extern struct percpu_head percpu_head;
extern _Thread_local uintptr_t percpu_here; /* this CPU's copy minus the template */

#define percpu_at(offset, name) ((typeof(name) *)((uintptr_t) & (name) + (offset)))
#define this_cpu_ptr(name) percpu_at(percpu_here, name)
#define this_cpu(name) (*this_cpu_ptr(name))
#define cpu_ptr(cpu, name) percpu_at(percpu_offset(cpu), name)

uint64_t percpu_offset(uint32_t cpu);

static inline uint32_t cpu_index(void)
{
    return this_cpu(percpu_head).cpu;
}
