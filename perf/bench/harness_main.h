/* SPDX-License-Identifier: MIT
 * The harness behind harness.h, included by the one file of a bench program that has main(): runs the benches that the
 * command line selects and that this image can answer, exports one histogram for each, and stops the machine with a
 * verdict. Command line: bench=NAME,NAME (names or prefixes; all without it), iterations=, warmup=. Which benches are
 * cross-CPU is a matter of the image: each server says at the start on which CPU it lives. */
#pragma once
#include "handles.h"
#include "perf/bench/harness.h"
#include "perf/bench/placement.h"
#include "perf/hist.h"
#include "sys/lib/printf.h"
#include "sys/lib/string.h"

/* The program's list. */
extern const struct bench benches[];
extern const size_t bench_count;

unsigned char bench_send[BENCH_BYTES_MAX] __attribute__((aligned(64)));
unsigned char bench_receive[BENCH_BYTES_MAX] __attribute__((aligned(64)));

static struct bench_plan plan;
const struct bench_plan *const bench_plan = &plan;
struct histogram *const bench_samples = HISTOGRAM_SAMPLES;

#define NOT_TIMED UINT64_MAX

static const struct bench *running;
static uint64_t cold_ticks = NOT_TIMED, overhead_ticks;
static bool servers_are_here; /* on this CPU */
static struct {
    uint64_t last, ns, samples; /* as last seen; since the bench began; recorded samples in which it grew */
} stolen;

/* The length of the `index`-th comma-separated word of `list`, which starts at *word; 0 past the end. */
static size_t selection_word(const char *list, uint32_t index, const char **word)
{
    for (;;) {
        size_t n = 0;
        while (list[n] != '\0' && list[n] != ',')
            n++;
        *word = list;
        if (index == 0)
            return n;
        if (list[n] == '\0')
            return 0;
        list += n + 1;
        index--;
    }
}

/* Whole name, or a prefix that ends before a dot: channel.call selects channel.call.same_cpu.0. */
static bool selection_matches(const char *word, size_t n, const char *name)
{
    return strncmp(word, name, n) == 0 && (name[n] == '\0' || name[n] == '.');
}

static bool is_possible(const struct bench *bench)
{
    bool by_sysenter = features() & VVAR_FEATURE_SYSENTER;
    switch (bench->place) {
    case BENCH_BY_SYSCALL:
        return !by_sysenter;
    case BENCH_BY_SYSENTER:
        return by_sysenter;
    case BENCH_ANYWHERE:
        return true;
    default:
        return (bench->place == BENCH_SAME_CPU) == servers_are_here;
    }
}

static bool is_selected(const struct bench *bench, const char *selection)
{
    if (!is_possible(bench))
        return false;
    if (selection[0] == '\0')
        return true;
    const char *word;
    for (uint32_t i = 0; selection_word(selection, i, &word) != 0; i++) {
        if (selection_matches(word, selection_word(selection, i, &word), bench->name))
            return true;
    }
    return false;
}

/* A misspelt name is an error, not an empty result. */
static void check_selection(const char *selection)
{
    const char *word;
    size_t n;
    for (uint32_t i = 0; (n = selection_word(selection, i, &word)) != 0; i++) {
        size_t match = 0;
        while (match < bench_count &&
               !(is_possible(&benches[match]) && selection_matches(word, n, benches[match].name)))
            match++;
        if (match < bench_count)
            continue;
        for (match = 0; match < bench_count; match++) {
            if (is_possible(&benches[match]))
                tern_log("bench: %s", benches[match].name);
        }
        tern_failure(STATUS_NOT_FOUND, "bench=%.*s names no bench of this image", (int)n, word);
    }
}

uint64_t bench_unit(uint64_t ticks)
{
    return (uint64_t)(((unsigned __int128)ticks * tern_vvar()->sample_mult) >> 32);
}

/* Never inside a measured interval; the next one begins here. */
static bool stolen_grew(void)
{
    uint64_t before = stolen.last;
    if (!steal_is_counted())
        return false;
    stolen.last = stolen_ns();
    stolen.ns += stolen.last - before;
    return stolen.last != before;
}

void bench_note(uint64_t cold, uint64_t overhead)
{
    cold_ticks = cold > overhead ? cold - overhead : 0;
    overhead_ticks = overhead;
    (void)stolen_grew();
    stolen.ns = 0;
}

void bench_record(uint64_t ticks, uint64_t overhead)
{
    hist_record(bench_samples, bench_unit(ticks > overhead ? ticks - overhead : 0));
    stolen.samples += stolen_grew();
}

void bench_fail(enum status status)
{
    tern_failure(status, "%s: %s", running->name, tern_status_name(status));
}

void bench_check_echo(uint32_t handle, uint64_t n)
{
    for (uint64_t i = 0; i < BENCH_BYTES_MAX; i++) {
        bench_send[i] = (unsigned char)(i * 7 + n);
        bench_receive[i] = 0;
    }
    struct result r = channel_transact(handle, bench_send, n, bench_receive, n, TIME_MAX);
    if (r.status != STATUS_OK)
        bench_fail(r.status);
    if (r.value != n || memcmp(bench_send, bench_receive, n) != 0)
        tern_failure(STATUS_DATA_LOSS, "%s: the echo of %lu bytes came back wrong", running->name, n);
}

/* Empty again: only slots between min and max can be other than zero. */
static void reset_samples(void)
{
    (void)stolen_grew();
    stolen.ns = stolen.samples = 0;
    bench_samples->overflow = 0;
    bench_samples->sum = 0;
    bench_samples->min = UINT64_MAX;
    bench_samples->max = 0;
    memset(bench_samples->counts, 0, sizeof bench_samples->counts);
}

static void export_samples(const struct bench *bench)
{
    char text[256];
    const char *unit = tern_vvar()->unit == VVAR_UNIT_INSTRUCTIONS ? "instructions" : "ns";
    int n = ksnprintf(text, sizeof text, "%s overhead=%lu ops=%u unit=%s", bench->name, bench_unit(overhead_ticks),
                      bench->ops, unit);
    if (cold_ticks != NOT_TIMED)
        n += ksnprintf(text + n, sizeof text - (size_t)n, " cold=%lu", bench_unit(cold_ticks));
    if (steal_is_counted())
        n += ksnprintf(text + n, sizeof text - (size_t)n, " stolen=%lu stolen_ns=%lu", stolen.samples, stolen.ns);
    struct result r;
    do {
        r = histogram_export(HANDLE_SAMPLES, text, (size_t)n);
    } while (r.status == STATUS_UNAVAILABLE);
    if (r.status != STATUS_OK)
        bench_fail(r.status);
}

static uint32_t ask_cpu(uint32_t handle)
{
    uint32_t cpu = 0;
    struct result r = channel_transact(handle, &cpu, 0, &cpu, sizeof cpu, TIME_MAX);
    if (r.status != STATUS_OK || r.value != sizeof cpu)
        tern_failure(r.status, "server %u does not say where it is: %s", handle, tern_status_name(r.status));
    return cpu;
}

/* The first answer of each server is the number of its CPU (perf/bench/placement.h); all are on the same. */
static void find_servers(const uint32_t *servers, size_t count)
{
    uint32_t cpu = ask_cpu(servers[0]);
    for (size_t i = 1; i < count; i++) {
        if (ask_cpu(servers[i]) != cpu)
            tern_failure(STATUS_FAILED_PRECONDITION, "server %zu is not on CPU %u as the first is", i, cpu);
    }
    servers_are_here = cpu == cpu_id();
}

/* Everything; does not return. */
static _Noreturn void bench_run(const uint32_t *servers, size_t count)
{
    char selection[512];
    if (!tern_argument("bench", selection, sizeof selection))
        selection[0] = '\0';
    plan.iterations = tern_argument_u64("iterations", 2000);
    plan.warmup = tern_argument_u64("warmup", 200);
    find_servers(servers, count);
    check_selection(selection);

    for (size_t i = 0; i < bench_count; i++) {
        if (!is_selected(&benches[i], selection))
            continue;
        running = &benches[i];
        cold_ticks = NOT_TIMED;
        overhead_ticks = 0;
        reset_samples();
        running->run(running);
        export_samples(running);
    }
    tern_success();
}
