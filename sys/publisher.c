/* SPDX-License-Identifier: MIT
 * Publishers without a better place. */
#include "sys/publisher.h"

#include "ipc/event_bus.h"
#include "mm/page.h"
#include "sched/inbox.h"
#include "sys/lib/log.h"
#include "sys/process.h"

#include <arch/percpu.h>

static const struct process *processes; /* [I] */
static uint32_t process_count;          /* [I] */

_Static_assert((int)PAGE_PLENTY == EVENT_MEMORY_NORMAL && (int)PAGE_LOW == EVENT_MEMORY_LOW &&
                   (int)PAGE_CRITICAL == EVENT_MEMORY_CRITICAL && (int)PAGE_NONE == EVENT_MEMORY_OOM,
               "the allocator's levels are the event's");

static void publish_pressure(enum page_level level)
{
    event_publish(EVENT_MEMORY_PRESSURE, level, page_free_bytes() - page_held_bytes(), page_total_bytes(), 0);
}

static void run_start(const struct inbox_message *m)
{
    (void)m;
    event_bus_start();
    for (uint32_t i = 0; i < process_count; i++)
        if (processes[i].cpu == cpu_index())
            process_publish_created(&processes[i]);
}

void publisher_start(const struct process *all, uint32_t count, uint32_t cpus)
{
    const struct inbox_message m = {run_start, {0}};
    processes = all;
    process_count = count;
    for (uint32_t cpu = 0; cpu < cpus; cpu++)
        inbox_send(cpu, &m, 0);
    page_watch(publish_pressure);
}

void publisher_write_losses(uint32_t cpus)
{
    for (uint32_t kind = 0; kind < EVENT_KINDS; kind++) {
        uint64_t dropped = 0;
        for (uint32_t cpu = 0; cpu < cpus; cpu++) {
            struct event_counts counts;
            event_bus_counts(cpu, &counts);
            dropped += counts.dropped[kind];
        }
        if (dropped)
            log_warn("%lu events of kind %s were dropped: queues were full", dropped, event_kind_name(kind));
    }
}
