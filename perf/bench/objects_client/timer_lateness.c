/* SPDX-License-Identifier: MIT
 * How late is a deadline: from the time that a thread asked to sleep until, 100 microseconds ahead, to its next
 * instruction in user mode. Nothing else runs; the CPU idles meanwhile. One sample in twenty rounds of the other
 * benches. */
#include "perf/bench/harness.h"

#include "handles.h"

#define AHEAD_NS 100000
#define ROUNDS_PER_SAMPLE 20

/* The time stamp at which clock_now becomes `ns`. The quotient fits: it is a time of this machine's life. */
static uint64_t ticks_at(uint64_t ns)
{
    uint64_t high = ns >> 32, low = ns << 32;
    __asm__("divq %2" : "+a"(low), "+d"(high) : "r"(tern_vvar()->ns_mult));
    return tern_vvar()->tsc_base + low + 1;
}

void timer_lateness_run(const struct bench *bench)
{
    (void)bench;
    for (uint64_t i = 0; i <= bench_plan->iterations / ROUNDS_PER_SAMPLE; i++) {
        uint64_t deadline_ns = clock_now() + AHEAD_NS;
        struct result r = object_wait(HANDLE_PROCESS, SIGNAL_JOINABLE, deadline_ns);
        uint64_t now = rdtsc_ordered(), due = ticks_at(deadline_ns);
        if (r.status != STATUS_DEADLINE_EXCEEDED || now < due)
            bench_fail(r.status == STATUS_OK ? STATUS_INTERNAL : r.status);
        if (i == 0)
            bench_note(now - due, 0);
        else
            bench_record(now - due, 0);
    }
}
