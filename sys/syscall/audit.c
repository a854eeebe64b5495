/* SPDX-License-Identifier: MIT
 * Rings of calls. Only its CPU writes a ring. */
#include "sys/syscall/audit.h"

#include "mm/page.h"
#include "sys/lib/log.h"
#include "sys/syscall/extension.h"

#include <arch/clock.h>

struct audit_entry {
    uint64_t entry_ns, duration_ns;
    uint64_t arguments[2];
    uint64_t value;
    uint32_t process, number;
    uint32_t status;
    uint32_t origin;
};

static PERCPU_ZERO(uint64_t, audit_count); /* [o] calls seen; the ring holds the last AUDIT_ENTRIES */
static struct audit_entry *rings;          /* [I] a ring per CPU */
static uint32_t ring_count;                /* [I] */

bool audit_reserve(uint32_t cpus)
{
    paddr_t p;
    size_t bytes = cpus * AUDIT_ENTRIES * sizeof(struct audit_entry);
    if (page_alloc_raw((bytes + PAGE_SIZE - 1) / PAGE_SIZE, PAGE_SIZE, &p) != STATUS_OK)
        return false;
    rings = phys_to_virt(p);
    ring_count = cpus;
    return true;
}

static void audit_post(const struct syscall_context *c, const struct result *result)
{
    uint64_t at = this_cpu(audit_count)++ % AUDIT_ENTRIES;
    rings[c->cpu * AUDIT_ENTRIES + at] = (struct audit_entry){.entry_ns = c->entry_ns,
                                                              .duration_ns = clock_now_ns() - c->entry_ns,
                                                              .arguments = {c->arguments[0], c->arguments[1]},
                                                              .value = result->value,
                                                              .process = c->process->index,
                                                              .number = c->number,
                                                              .status = (uint32_t)result->status,
                                                              .origin = (uint32_t)c->origin};
}

struct syscall_hook audit_hook = {.name = "audit", .post = audit_post};

static void write_entry(uint32_t cpu, uint64_t sequence)
{
    const struct audit_entry *e = &rings[cpu * AUDIT_ENTRIES + sequence % AUDIT_ENTRIES];
    const char *name = syscall_name(e->number);
    /* The name is that of now, the number that of then. */
    log_info("audit: cpu %u call %lu at %lu ns for %lu ns: process %u from %#x: %u %s(%#lx, %#lx) = %u, %#lx", cpu,
             sequence, e->entry_ns, e->duration_ns, e->process, e->origin, e->number, name ? name : "?",
             e->arguments[0], e->arguments[1], e->status, e->value);
}

void audit_write(void)
{
    for (uint32_t cpu = 0; cpu < ring_count; cpu++) {
        uint64_t end = *cpu_ptr(cpu, audit_count); /* remote look: the CPU has stopped */
        uint64_t first = end > AUDIT_ENTRIES ? end - AUDIT_ENTRIES : 0;
        for (uint64_t i = first; i < end; i++)
            write_entry(cpu, i);
    }
}
