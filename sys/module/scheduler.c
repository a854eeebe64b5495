/* SPDX-License-Identifier: MIT
 * What runs, and what does not. Threads and processes are never freed, so a look at another CPU's is a stale value at
 * worst; its run queue, whose links move, is not walked: threads know their state. */
#include "sched/sched.h"
#include "sys/lib/printf.h"
#include "sys/load.h"
#include "sys/module/module.h"

#include <arch/atomic.h>

#define CPU_ROW_BYTES 460 /* two names of 31 bytes, each escaped at worst */
#define STATES (THREAD_WAIT_BEHIND + 1)

static const char *const state_names[STATES] = {
    [THREAD_RUNNING] = "running",           [THREAD_READY] = "ready",
    [THREAD_STOPPED] = "stopped",           [THREAD_WAIT_SIGNALS] = "wait_signals",
    [THREAD_WAIT_REQUEST] = "wait_request", [THREAD_WAIT_TAKE] = "wait_notification",
    [THREAD_WAIT_RESPONSE] = "wait_answer", [THREAD_WAIT_BEHIND] = "wait_turn",
};

/* Threads by home CPU and state. */
static void count_threads(uint32_t states[STATES], uint32_t ready[IMAGE_CPUS_MAX])
{
    uint32_t count;
    const struct process *processes = load_processes(&count);
    for (uint32_t i = 0; i < count; i++) {
        const struct process *p = &processes[i];
        for (uint32_t k = 0; k < p->thread_count; k++) {
            uint8_t state = load_relaxed(&p->threads[k].waiter.state); /* remote look */
            states[state]++;
            ready[p->cpu] += state == THREAD_READY;
        }
    }
}

/* `context`: how many are ready, by CPU. */
static void write_cpu(struct json *j, uint32_t cpu, const void *context)
{
    const uint32_t *ready = context;
    int level = load_relaxed(&cpu_ptr(cpu, inbox)->level);                            /* remote look */
    const struct thread *current = load_relaxed(&cpu_ptr(cpu, percpu_head)->current); /* remote look */
    bool has_run = current && current->process; /* and not only waited for its first thread */
    char priority[16];
    ksnprintf(priority, sizeof(priority), "%d", level);
    json_text(j, "level", level == INBOX_HALTED ? "halted" : level == INBOX_POLLING ? "polling" : priority);
    json_number(j, "ready", ready[cpu]);
    json_text(j, "process", has_run ? current->process->name : "");
    json_text(j, "thread", has_run ? current->name : "");
}

static enum status get_stats(struct router_message *m, struct json *j)
{
    uint32_t states[STATES] = {0}, ready[IMAGE_CPUS_MAX] = {0};
    count_threads(states, ready);
    json_open(j, NULL, '{');
    json_open(j, "threads", '{');
    for (uint32_t i = 0; i < STATES; i++)
        if (state_names[i])
            json_number(j, state_names[i], states[i]);
    json_close(j, '}');
    module_write_cpus(m, j, "cpus", CPU_ROW_BYTES, write_cpu, ready);
    json_close(j, '}');
    return STATUS_OK;
}

const struct module_request scheduler_requests[] = {
    {"get_stats", "Threads by state; of each CPU what it does, how many are ready, and which it runs or ran last.",
     get_stats},
    {0}};
