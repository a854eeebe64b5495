/* SPDX-License-Identifier: MIT
 * Copies of the section that PERCPU variables are in, and what lies below an inbox. */
#include "tests/unit/cpus/cpus.h"

#include "mm/page.h"
#include "sched/inbox.h"
#include "sys/lib/panic.h"

#include <arch/platform.h>
#include <arch/cpu.h>
#include <arch/percpu.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_BYTES = 16 << 20, INBOX_CAPACITY = 256 };

PERCPU(struct percpu_head, percpu_head);
_Thread_local uintptr_t percpu_here;

extern char __start_percpu[], __stop_percpu[];
static char *pristine, *copies;
static size_t bytes; /* of one copy */
static uint32_t count;
static uint64_t memory_used;

uint64_t percpu_offset(uint32_t cpu)
{
    return cpu < count ? (uintptr_t)(copies + cpu * bytes) - (uintptr_t)__start_percpu : 0;
}

void cpu_become(uint32_t cpu)
{
    panic_if(cpu >= count);
    percpu_here = percpu_offset(cpu);
}

/* A test may have its own of these two. */
__attribute__((weak)) uint64_t cpu_rdtsc(void)
{
    return __builtin_ia32_rdtsc();
}

__attribute__((weak)) void cpu_pause(void)
{
    __builtin_ia32_pause();
}

void cpus_create(uint32_t n)
{
    size_t used = (size_t)(__stop_percpu - __start_percpu);
    bytes = (used + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    if (!pristine) {
        pristine = malloc(used);
        memcpy(pristine, __start_percpu, used);
        test_phys = aligned_alloc(PAGE_SIZE, MEMORY_BYTES);
        test_phys_bytes = MEMORY_BYTES;
    }
    free(copies);
    copies = aligned_alloc(CACHE_LINE, n * bytes);
    count = n;
    memory_used = 0;
    for (uint32_t cpu = 0; cpu < n; cpu++) {
        memcpy(copies + cpu * bytes, pristine, used);
        cpu_ptr(cpu, percpu_head)->cpu = cpu;
        inbox_create(cpu, INBOX_CAPACITY);
    }
    cpu_become(0);
}

void cpu_look(uint32_t steps)
{
    for (; steps > 0 && !inbox_is_empty(); steps--)
        inbox_run();
}

void cpus_settle(void)
{
    uint32_t before = cpu_index();
    for (uint32_t idle = 0, cpu = 0; idle < count; cpu = (cpu + 1) % count) {
        cpu_become(cpu);
        idle = inbox_is_empty() ? idle + 1 : 0;
        cpu_look(1);
    }
    cpu_become(before);
}

enum status page_alloc(size_t pages, size_t align_bytes, paddr_t *out)
{
    enum status s = page_alloc_raw(pages, align_bytes, out);
    if (s == STATUS_OK)
        memset(phys_to_virt(*out), 0, pages * PAGE_SIZE);
    return s;
}

/* Full of something else than zero. */
enum status page_alloc_raw(size_t pages, size_t align_bytes, paddr_t *out)
{
    (void)align_bytes;
    if (memory_used + pages * PAGE_SIZE > MEMORY_BYTES)
        return STATUS_RESOURCE_EXHAUSTED;
    *out = memory_used;
    memset(phys_to_virt(*out), 0xa5, pages * PAGE_SIZE);
    memory_used += pages * PAGE_SIZE;
    return STATUS_OK;
}

/* Played CPUs look by themselves. */
static void wake(uint32_t cpu)
{
    (void)cpu;
}

struct platform platform = {.wake = wake};
