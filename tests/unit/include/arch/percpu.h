/* SPDX-License-Identifier: MIT
 * Host stand-in: there is one CPU at a time, so a per-CPU variable is a plain one. They have a section of their own: a
 * test that plays several CPUs exchanges its contents (tests/unit/sys/syscall/hook_world.c). */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define CPU_MAX 1

struct thread;

struct percpu_head {
    struct thread *current;
    uint32_t cpu, apic_id;
};

#define PERCPU(type, name) __attribute__((section("percpu"))) typeof(type) name
#define PERCPU_ZERO(type, name) PERCPU(type, name)

extern struct percpu_head percpu_head;

#define this_cpu(name) (name)
#define this_cpu_ptr(name) (&(name))
#define cpu_ptr(cpu, name) ((void)(cpu), &(name))

uint64_t percpu_offset(uint32_t cpu);

static inline uint32_t cpu_index(void)
{
    return percpu_head.cpu;
}
