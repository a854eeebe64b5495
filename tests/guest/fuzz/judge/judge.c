/* SPDX-License-Identifier: MIT
 * The story: some processes make random calls, with legal arguments and with the worst (fuzzer/), call and serve each
 * other in doing so, and verify after each call all that a process can see. Some of them, the mayflies, die in the
 * middle. About a hundred victims jump to random places of the vDSO and elsewhere (victim/). Honest pairs exchange
 * checked messages all the while, and the warden watches memory that is nobody's business. The judge sends them into
 * rounds:
 *
 *   1  all of them; the mayflies are also ended and started again by those who supervise them
 *   2  the same without mayflies and victims: each call made is counted by who made it, and the kernel must count alike
 *   3  honest pairs and the warden alone, after the judge took back all numbers and hooks
 *
 * At the end everybody who lives rests in a call to the judge, for ever: the kernel's census must find that and no
 * more. `seed=` and `iterations=`, calls per fuzzing process, decide what is drawn; with one CPU and icount they decide
 * all. */
#include "judge.h"
#include "handles.h"

#define CALLS_DEFAULT 20000
#define LOOK_NS MS
#define MAYFLY_CALLS 10000   /* of one life, at most */
#define COVERAGE_CALLS 20000 /* a round's, from which on each number must have had its OK */

/* Workers are handles: fuzzing processes, honest ones, mayflies. */
#define FIRST_HONEST (uint32_t) HANDLE_HONEST_0
#define FIRST_MAYFLY (uint32_t) HANDLE_MAYFLY_0
#define WORKERS (uint32_t) HANDLE_VICTIM_00
_Static_assert(HANDLE_FUZZER_0 == 0, "the fuzzing processes come first");

struct fuzz_report fuzz_report;
uint64_t fuzz_state;
static struct fuzz_report heard; /* the sum of what all workers reported in this round */
static uint64_t honest_work;     /* their part of it */
static uint64_t random_calls;    /* in all rounds, of those who lived to tell */
static uint64_t all_calls;       /* as the kernel counted them: with the mayflies', victims' and honest ones' */
static uint64_t went_well[NUMBERS + 1];
static enum { WORKS, RESTS, IS_DEAD } state[WORKERS];
static bool mayflies_fly; /* those who ask get an order */

static bool is_fuzzer(uint32_t worker)
{
    return worker < FIRST_HONEST;
}

static bool is_mayfly(uint32_t worker)
{
    return worker >= FIRST_MAYFLY;
}

static bool nobody_works(uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        if (state[i] == WORKS)
            return false;
    return true;
}

/* A mayfly may be dead again. */
static void send_order(uint32_t worker, uint64_t calls)
{
    struct fuzz_order order = {.calls = calls, .starts = mayflies_fly, .dies = is_mayfly(worker)};
    struct result r = COUNTED(channel_respond)(worker, &order, sizeof order);
    if (!is_mayfly(worker) || r.status != STATUS_UNAVAILABLE)
        check_ok("order", r, 0);
    state[worker] = WORKS;
}

static void add_report(uint32_t worker, const struct fuzz_report *report)
{
    const uint64_t *from = (const uint64_t *)report;
    uint64_t *to = (uint64_t *)&heard;
    for (size_t i = 0; i < sizeof *report / sizeof *from; i++)
        to[i] += from[i];
    for (uint32_t i = 0; i <= NUMBERS; i++)
        went_well[i] += report->ok[i];
    *(is_fuzzer(worker) ? &random_calls : &honest_work) += report->work;
}

/* Reads a worker's report, if there is one. Otherwise it works, or is dead, as only mayflies may be. */
static void hear(uint32_t worker)
{
    static struct fuzz_report report;
    struct result r = COUNTED(channel_read)(worker, 0, &report, sizeof report);
    if (r.status == STATUS_OK) {
        check_u64("length of a report", r.value, sizeof report);
        add_report(worker, &report);
        state[worker] = RESTS;
        return;
    }
    check_status("report", r.status, STATUS_UNAVAILABLE);
    bool dead = COUNTED(object_wait)(worker, SIGNAL_ERROR, 0).status == STATUS_OK;
    if (dead)
        check_u64("a worker that died", is_mayfly(worker), true);
    state[worker] = dead ? IS_DEAD : WORKS;
}

/* Whoever fuzzes rests once it is through, the others when all who fuzz are. */
static void look_at_workers(void)
{
    bool through = nobody_works(0, FIRST_HONEST) && nobody_works(FIRST_MAYFLY, WORKERS);
    for (uint32_t i = 0; i < WORKERS; i++) {
        if (state[i] == RESTS)
            continue;
        hear(i);
        if (state[i] != RESTS || is_fuzzer(i))
            continue;
        if (is_mayfly(i) ? mayflies_fly : !through)
            send_order(i, is_mayfly(i) ? 1 + fuzz_below(MAYFLY_CALLS) : 0);
    }
}

static void begin_round(void)
{
    memset(&heard, 0, sizeof heard);
    honest_work = 0;
}

/* Honest processes are heard of in each round. */
static void end_round(const char *which)
{
    tern_log("fuzz: round %s: %lu exchanges and looks of honest processes", which, honest_work);
    check_at_least("honest work", honest_work, FIRST_MAYFLY - FIRST_HONEST);
}

static void rest(void)
{
    check_refused("the judge's rest", COUNTED(object_wait)(HANDLE_PROCESS, SIGNAL_NEVER, clock_now() + LOOK_NS),
                  STATUS_DEADLINE_EXCEEDED);
}

static void wait_for_workers(void)
{
    while (!nobody_works(0, WORKERS)) {
        look_at_workers();
        rest();
    }
}

/* Of each number the calls that were not the judge's own. */
static void count_foreign(uint64_t foreign[USER_CALLS])
{
    for (uint32_t number = 0; number < USER_CALLS; number++) {
        struct syscall_stats stats;
        check_ok("statistics", COUNTED(syscall_stats)(number, &stats, sizeof stats), sizeof stats);
        foreign[number] = stats.calls - fuzz_report.calls[number];
    }
}

static void send_out(uint64_t calls, bool with_mayflies)
{
    mayflies_fly = with_mayflies;
    begin_round();
    for (uint32_t i = 0; i < FIRST_MAYFLY; i++)
        send_order(i, is_fuzzer(i) ? calls : 0);
    for (uint32_t i = FIRST_MAYFLY; i < WORKERS && with_mayflies; i++)
        send_order(i, 1 + fuzz_below(MAYFLY_CALLS));
}

static void round_of_all(uint64_t calls)
{
    send_out(calls, true);
    while (victims_step())
        look_at_workers();
    wait_for_workers();
    mayflies_fly = false;
    end_round("of all");
    tern_log("fuzz: victims: %lu jumps, %lu came back, %lu ended their process", victim_jumps, victim_returns,
             victim_jumps - victim_returns);
}

static void counted_round(uint64_t calls)
{
    static uint64_t before[USER_CALLS], after[USER_CALLS];
    count_foreign(before);
    send_out(calls, false);
    wait_for_workers();
    count_foreign(after);
    for (uint32_t number = 0; number < USER_CALLS; number++) {
        all_calls += after[number];
        if (after[number] - before[number] != heard.calls[number])
            tern_failure(STATUS_INTERNAL, "seed %lu: the kernel counted %lu calls of number %u, and there were %lu",
                         fuzz_seed(), after[number] - before[number], number, heard.calls[number]);
    }
    end_round("counted");
}

static void take_back(void)
{
    static const char *const hooks[] = {"lockdown", "audit", "latency"};
    for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++)
        while (syscall_hook(hooks[i], strlen(hooks[i]), 0).status == STATUS_UNAVAILABLE)
            rest();
    for (uint32_t number = NUMBERS; number < USER_CALLS; number++) {
        struct result r = syscall_unregister(number);
        if (r.status != STATUS_NOT_FOUND)
            check_status("taking a number back", r.status, STATUS_OK);
    }
    check_refused("add", syscall_lookup("add", 3), STATUS_NOT_FOUND);
    check_refused("sum", syscall_lookup("sum", 3), STATUS_NOT_FOUND);
}

/* Everybody who did not fuzz is as well as before. */
static void honest_round(void)
{
    begin_round();
    for (uint32_t i = FIRST_HONEST; i < FIRST_MAYFLY; i++)
        send_order(i, 0);
    wait_for_workers();
    end_round("of honest ones");
}

/* Random calls are no test of a number that never gets anywhere. */
static void check_coverage(uint64_t calls)
{
    uint64_t all = 0;
    for (uint32_t number = 0; number <= NUMBERS; number++) {
        all += went_well[number];
        bool ends = number == NUMBER_process_exit || number == NUMBER_thread_exit || number == NUMBER_debug_shutdown;
        if (!ends && !went_well[number] && calls >= COVERAGE_CALLS)
            tern_failure(STATUS_INTERNAL, "seed %lu: no call of number %u went well", fuzz_seed(), number);
    }
    tern_log(
        "fuzz: %lu calls, %lu drawn and verified; %lu OK: transact %lu, read %lu, respond %lu, respond_and_wait %lu",
        all_calls, random_calls, all, went_well[NUMBER_channel_transact], went_well[NUMBER_channel_read],
        went_well[NUMBER_channel_respond], went_well[NUMBER_channel_respond_and_wait]);
}

int main(void)
{
    fuzz_random_begin();
    uint64_t calls = tern_argument_u64("iterations", CALLS_DEFAULT) / 2;
    tern_log("fuzz: seed=%lu iterations=%lu on %u CPUs", fuzz_seed(), 2 * calls, tern_vvar()->cpu_count);
    wait_for_workers();
    round_of_all(calls);
    counted_round(calls);
    check_coverage(calls);
    take_back();
    honest_round();
    tern_log("\n");
    tern_success();
}
