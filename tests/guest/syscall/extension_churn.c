/* SPDX-License-Identifier: MIT
 * The story: callers on this CPU and on another make call 42 without end, while this process gives the number to `add`
 * and takes it back, thousands of times. Each of their calls gives the right sum or UNIMPLEMENTED (a caller fails the
 * test otherwise). It goes on until both have seen both often. In the end the kernel has counted every call. */
#include "handles.h"
#include "tests/guest/syscall/extension_churn.h"

#define ROUNDS 3000
#define OFTEN 50

static const uint32_t callers[] = {HANDLE_NEAR, HANDLE_FAR};

static struct churn_report ask(uint32_t handle, bool stop)
{
    struct churn_report report = {0, 0};
    check_ok("report", channel_transact(handle, &stop, sizeof stop, &report, sizeof report, TIME_MAX), sizeof report);
    return report;
}

/* A caller on this CPU runs only when this process lets it: sometimes in the middle, with the number there. */
static void churn(uint64_t rounds)
{
    for (uint64_t i = 0; i < rounds; i++) {
        check_ok("register", syscall_register(CHURN_NUMBER, "add", 3), 0);
        if (i % 8 == 0)
            thread_yield();
        check_ok("unregister", syscall_unregister(CHURN_NUMBER), 0);
        if (i % 8 == 1)
            thread_yield();
    }
}

static bool all_have_seen_enough(void)
{
    bool enough = true;
    for (size_t i = 0; i < sizeof callers / sizeof callers[0]; i++) {
        struct churn_report report = ask(callers[i], false);
        enough = enough && report.answered >= OFTEN && report.calls - report.answered >= OFTEN;
    }
    return enough;
}

int main(void)
{
    do
        churn(ROUNDS);
    while (!all_have_seen_enough());
    uint64_t calls = 0;
    for (size_t i = 0; i < sizeof callers / sizeof callers[0]; i++) {
        struct churn_report report = ask(callers[i], true);
        tern_log("caller %lu: %lu calls, %lu answered", i, report.calls, report.answered);
        calls += report.calls;
    }
    struct syscall_stats stats = {0};
    check_ok("statistics", syscall_stats(CHURN_NUMBER, &stats, sizeof stats), sizeof stats);
    check_u64("calls counted", stats.calls, calls);
    tern_success();
}
