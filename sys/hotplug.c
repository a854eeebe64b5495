/* SPDX-License-Identifier: MIT
 * A request is a message there and one back; there is one at a time. */
#include "sys/hotplug.h"

#include "ipc/event_bus.h"
#include "sched/inbox.h"
#include "sched/process.h"
#include "sched/sched.h"
#include "sys/lib/log.h"

#include <arch/percpu.h>

static const struct process *processes; /* [I] */
static uint32_t process_count;          /* [I] */
static uint32_t cpu_count;              /* [I] */

/* The request under way. Boot CPU. */
static struct {
    void (*done)(void *context, enum status outcome); /* NULL: there is none */
    void *context;
} request;

void hotplug_begin(const struct process *all, uint32_t count, uint32_t cpus)
{
    processes = all;
    process_count = count;
    cpu_count = cpus;
}

static bool is_needed(uint32_t cpu)
{
    for (uint32_t i = 0; i < process_count; i++)
        if (processes[i].cpu == cpu && (!processes[i].stopped || processes[i].loading))
            return true;
    return false;
}

/* This CPU. */
static void set(bool online)
{
    sched_park(!online);
    event_publish(EVENT_CPU_HOTPLUG, online, cpu_index(), 0, 0);
    log_info("CPU %u is %s line", cpu_index(), online ? "on" : "off");
}

static enum status change(bool online)
{
    if (online != sched_is_parked(cpu_index()))
        return STATUS_ALREADY_EXISTS;
    if (!online && is_needed(cpu_index()))
        return STATUS_FAILED_PRECONDITION;
    set(online);
    return STATUS_OK;
}

static void run_done(const struct inbox_message *m)
{
    void (*done)(void *context, enum status outcome) = request.done;
    request.done = NULL;
    done(request.context, (enum status)m->word[0]);
}

static void run_change(const struct inbox_message *m)
{
    const struct inbox_message answer = {run_done, {change(m->word[0])}};
    inbox_send(0, &answer, THREAD_PRIORITIES - 1);
}

enum status hotplug_request(uint32_t cpu, bool online, void (*done)(void *context, enum status outcome), void *context)
{
    const struct inbox_message m = {run_change, {online}};
    if (cpu >= cpu_count)
        return STATUS_OUT_OF_RANGE;
    if (cpu == 0)
        return STATUS_PERMISSION_DENIED;
    if (request.done)
        return STATUS_UNAVAILABLE;
    request.done = done;
    request.context = context;
    inbox_send(cpu, &m, THREAD_PRIORITIES - 1);
    return STATUS_OK;
}

void hotplug_process_starts(void)
{
    if (sched_is_parked(cpu_index()))
        set(true);
}

bool hotplug_is_online(uint32_t cpu)
{
    return cpu < cpu_count && !sched_is_parked(cpu);
}
