/* SPDX-License-Identifier: MIT
 * Host stand-in for tests that play several CPUs: each has a copy of everything that is PERCPU, and a host thread is
 * the CPU that it says it is (cpu_become), so that one thread can be each in turn, or several be one each. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define CPU_MAX 64

struct thread;

struct percpu_head {
    struct thread *current;
    uint32_t cpu, apic_id;
};

#define PERCPU(type, name) __attribute__((section("percpu"))) typeof(type) name
#define PERCPU_ZERO(type, name) PERCPU(type, name)

extern struct percpu_head percpu_head;
extern _Thread_local uint32_t cpus_self;

/* From the template to the copy of `cpu`, in bytes. */
ptrdiff_t cpus_offset(uint32_t cpu);

/* By way of an integer: the copy is no part of the template, whatever a sanitizer thinks. */
#define cpu_ptr(cpu, name) ((typeof(name) *)((uintptr_t) & (name) + (uintptr_t)cpus_offset(cpu)))
#define this_cpu_ptr(name) cpu_ptr(cpus_self, name)
#define this_cpu(name) (*this_cpu_ptr(name))

static inline uint32_t cpu_index(void)
{
    return cpus_self;
}
