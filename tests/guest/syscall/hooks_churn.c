/* SPDX-License-Identifier: MIT
 * The story: on four CPUs clients make calls of every kind, those that block on servers here and elsewhere too, while
 * two switchers on two CPUs switch all hooks on and off, thousands of times, as they like. Every result is what it is
 * without hooks (a client fails the test otherwise); only a registration may be refused, when lockdown is there. Then,
 * at rest: every call was counted, latency sees exactly those made while it is on, and lockdown refuses on all CPUs. */
#include "handles.h"
#include "tests/guest/syscall/hooks_churn.h"

#define SWITCHES 1000 /* of a switcher, then a look at the clients */
#define ROUNDS 100
#define NOPS 100
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint32_t clients[] = {HANDLE_CLIENT_0, HANDLE_CLIENT_1, HANDLE_CLIENT_2, HANDLE_CLIENT_3};
static const uint32_t switchers[] = {HANDLE_SWITCHER_0, HANDLE_SWITCHER_1};

static struct report order(uint32_t handle, enum order order, uint64_t count)
{
    struct order_message m = {order, count};
    struct report report = {0, 0, 0};
    check_ok("order", channel_transact(handle, &m, sizeof m, &report, sizeof report, TIME_MAX), sizeof report);
    return report;
}

static void all(enum order what)
{
    for (size_t i = 0; i < COUNT(clients); i++)
        (void)order(clients[i], what, 0);
}

static void churn(void)
{
    for (size_t i = 0; i < COUNT(switchers); i++)
        (void)order(switchers[i], ORDER_SWITCH, SWITCHES);
    for (size_t i = 0; i < COUNT(switchers); i++) {
        struct report report = order(switchers[i], ORDER_REPORT, 0);
        tern_log("switcher %lu: %lu changes with %lu calls", i, report.rounds, report.refused);
    }
}

static bool all_have_worked(void)
{
    bool all = true;
    for (size_t i = 0; i < COUNT(clients); i++)
        all = order(clients[i], ORDER_REPORT, 0).rounds >= ROUNDS && all;
    return all;
}

static uint64_t rest(void)
{
    uint64_t nops = 0;
    for (size_t i = 0; i < COUNT(clients); i++) {
        struct report report = order(clients[i], ORDER_REST, 0);
        tern_log("client %lu: %lu rounds, %lu registrations refused", i, report.rounds, report.refused);
        nops += report.nops;
    }
    return nops;
}

static void all_nops(void)
{
    for (size_t i = 0; i < COUNT(clients); i++)
        (void)order(clients[i], ORDER_NOPS, NOPS);
}

int main(void)
{
    check_ok("register", syscall_register(ADD_NUMBER, "add", 3), 0);
    all(ORDER_WORK);
    do
        churn();
    while (!all_have_worked());
    uint64_t nops = rest();
    hook_switch("audit", false);
    hook_switch("latency", false);
    hook_switch("lockdown", false);
    check_u64("calls counted", hook_stats(CALL_debug_nop).calls, nops);
    hook_switch("latency", true);
    all_nops();
    hook_check_samples("calls seen on all CPUs", CALL_debug_nop, COUNT(clients) * NOPS);
    hook_switch("latency", false);
    all_nops();
    hook_check_samples("and none since", CALL_debug_nop, COUNT(clients) * NOPS);
    check_u64("calls counted", hook_stats(CALL_debug_nop).calls, nops + 2 * COUNT(clients) * NOPS);
    hook_switch("lockdown", true);
    all(ORDER_LOCKED);
    hook_switch("lockdown", false);
    all(ORDER_UNLOCKED);
    tern_success();
}
