/* SPDX-License-Identifier: MIT
 * What does the death of a server cost whose 64 clients all wait for an answer. The clients are threads of this process,
 * more urgent than the bench: when task_terminate returns, each has been told UNAVAILABLE and blocked again. Then the
 * server is joined and started, and they call anew. One sample in twenty rounds of the other benches. */
#include "perf/bench/harness.h"

#include "handles.h"

#define CLIENTS 64
#define ROUNDS_PER_SAMPLE 20

static uint64_t told; /* how many were, in all */

/* A thread: calls the server that never answers, hears of its death, waits until it lives again. */
static int client(uint64_t initiator)
{
    for (;;) {
        struct result r = channel_transact((uint32_t)initiator, NULL, 0, NULL, 0, TIME_MAX);
        if (r.status != STATUS_UNAVAILABLE)
            bench_fail(r.status == STATUS_OK ? STATUS_INTERNAL : r.status);
        told++;
        r = object_wait((uint32_t)initiator, SIGNAL_WRITEABLE, TIME_MAX);
        if (r.status != STATUS_OK)
            bench_fail(r.status);
    }
}

BENCH_INLINE enum status body(uint64_t handle)
{
    return task_terminate((uint32_t)handle).status;
}

static void start_again(uint64_t expected)
{
    struct exit_status end;
    struct result r = object_wait(HANDLE_DOOMED, SIGNAL_JOINABLE, TIME_MAX);
    if (r.status == STATUS_OK)
        r = task_join(HANDLE_DOOMED, &end, sizeof end);
    if (r.status == STATUS_OK && (end.kind != EXIT_TERMINATED || told != expected))
        r.status = STATUS_DATA_LOSS;
    if (r.status == STATUS_OK)
        r = process_start(HANDLE_DOOMED);
    /* The last client's end lives again, hence all; they are more urgent, and have called when this one is told. */
    if (r.status == STATUS_OK)
        r = object_wait(HANDLE_DOOMED_WATCH, SIGNAL_WRITEABLE, TIME_MAX);
    if (r.status != STATUS_OK)
        bench_fail(r.status);
}

void process_death_run(const struct bench *bench)
{
    (void)bench;
    uint64_t overhead = bench_overhead();
    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct result r = tern_thread_start(HANDLE_CLIENT_0 + i, client, HANDLE_DOOMED_0 + i);
        if (r.status != STATUS_OK)
            bench_fail(r.status);
    }
    for (uint64_t i = 0; i <= bench_plan->iterations / ROUNDS_PER_SAMPLE; i++) {
        uint64_t ticks = bench_time(body, HANDLE_DOOMED);
        if (i == 0)
            bench_note(ticks, overhead);
        else
            bench_record(ticks, overhead);
        start_again((i + 1) * CLIENTS);
    }
}
