/* SPDX-License-Identifier: MIT
 * The harness of the user-level benches. A bench is a body, one operation, between two ordered reads of the time stamp
 * counter; its file is named for its question. The interval holds all that client, kernel and server execute for one
 * round: argument loads, call, stub, kernel, server loop. What the two reads themselves cost is measured by the same
 * code around an empty body, subtracted, and exported as overhead=. The first call of all is timed apart, as cold=. */
#pragma once
#include "sys/abi/histogram.h"
#include "user/rt/tern.h"
#include <stdint.h>

#define BENCH_BYTES_MAX 4096

/* Where its question makes sense. */
enum bench_place { BENCH_ANYWHERE, BENCH_SAME_CPU, BENCH_CROSS_CPU, BENCH_BY_SYSCALL, BENCH_BY_SYSENTER };

struct bench {
    const char *name; /* stable, from the design charter, section 6 */
    enum bench_place place;
    uint32_t ops;   /* operations in one sample */
    uint32_t bytes; /* each way */
    void (*run)(const struct bench *bench);
};

/* What the command line asked for. */
struct bench_plan {
    uint64_t iterations;
    uint64_t warmup;
};

extern const struct bench_plan *const bench_plan;
extern struct histogram *const bench_samples; /* this process's histogram object, empty when a bench starts */

/* Ticks to the unit of this machine's samples (struct vvar.sample_mult). */
uint64_t bench_unit(uint64_t ticks);

/* Both in raw ticks: the first call, and an empty body. */
void bench_note(uint64_t cold_ticks, uint64_t overhead_ticks);

/* One sample; a sample shorter than the overhead counts as 0. */
void bench_record(uint64_t ticks, uint64_t overhead_ticks);

/* Stops the machine with a FAILURE verdict that names the running bench. */
_Noreturn void bench_fail(enum status status);

/* One operation. `argument` stays in a register. Its status is looked at outside the measured interval. */
typedef enum status bench_body(uint64_t argument);

#define BENCH_INLINE static inline __attribute__((always_inline))

BENCH_INLINE enum status bench_empty(uint64_t argument)
{
    (void)argument;
    return STATUS_OK;
}

BENCH_INLINE uint64_t bench_time(bench_body *body, uint64_t argument)
{
    uint64_t before = rdtsc_ordered();
    enum status status = body(argument);
    uint64_t after = rdtsc_ordered();
    if (status != STATUS_OK)
        bench_fail(status);
    return after - before;
}

/* The smallest of many: an interrupt in one of them must not make every sample look shorter. */
BENCH_INLINE uint64_t bench_overhead(void)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < 64; i++) {
        uint64_t ticks = bench_time(bench_empty, i);
        least = ticks < least ? ticks : least;
    }
    return least;
}

/* Inlined with its body in each bench, so that no call through a pointer is measured. */
BENCH_INLINE void bench_loop(bench_body *body, uint64_t argument)
{
    uint64_t overhead = bench_overhead();
    uint64_t cold = bench_time(body, argument);
    bench_note(cold, overhead);
    for (uint64_t i = 0; i < bench_plan->warmup; i++)
        (void)bench_time(body, argument);
    for (uint64_t i = 0; i < bench_plan->iterations; i++)
        bench_record(bench_time(body, argument), overhead);
}

/* Sends n bytes, at most BENCH_BYTES_MAX, and compares the echo: what was timed was a call that works. */
void bench_check_echo(uint32_t handle, uint64_t n);

extern unsigned char bench_send[BENCH_BYTES_MAX];
extern unsigned char bench_receive[BENCH_BYTES_MAX];

/* The bodies' files, bench_client/ and objects_client/. */
void syscall_null_run(const struct bench *bench);
void vdso_clock_now_run(const struct bench *bench);
void hist_record_run(const struct bench *bench);
void sched_switch_run(const struct bench *bench);
void boot_to_user_run(const struct bench *bench);
void channel_call_run(const struct bench *bench);
void channel_call_cross_run(const struct bench *bench);
void channel_transact_run(const struct bench *bench);
void notify_run(const struct bench *bench);
void kernel_part_run(const struct bench *bench);
void process_death_run(const struct bench *bench);
void timer_lateness_run(const struct bench *bench);
void channel_group_1_run(const struct bench *bench);
void channel_group_8_run(const struct bench *bench);
void channel_group_64_run(const struct bench *bench);
