/* SPDX-License-Identifier: MIT
 * Switcher of the hooks_churn test: any hook on or off, in an order of its own. What the other switcher has under way
 * may be in the way; nothing else may. */
#include "handles.h"
#include "tests/guest/syscall/hooks_churn.h"

#define PATIENCE 1000

static uint64_t random_number(void)
{
    static uint64_t state;
    if (!state)
        state = tern_vvar()->process + 1;
    state = state * 6364136223846793005 + 1442695040888963407;
    return state >> 33;
}

/* Calls until it is so, or until the other switcher has had its way for long. */
static bool switch_hook(const char *name, uint64_t on, struct report *report)
{
    for (uint64_t i = 0; i < PATIENCE; i++) {
        struct result r = syscall_hook(name, strlen(name), on);
        report->refused++;
        if (r.status == STATUS_OK)
            return true;
        check_status("switch", r.status, STATUS_UNAVAILABLE);
        check_sleep_until(HANDLE_ORDER, clock_now() + 50 * US); /* others make calls meanwhile, here and elsewhere */
    }
    return false;
}

static void switch_hooks(uint64_t count, struct report *report)
{
    static const char *const names[] = {"audit", "latency", "lockdown"};
    static uint64_t on[3];
    while (count) {
        uint64_t which = random_number() % 3;
        bool done = switch_hook(names[which], on[which] ^= 1, report);
        report->rounds += done;
        count -= done;
    }
}

int main(void)
{
    struct report report = {0, 0, 0};
    for (;;) {
        check_status("order", object_wait(HANDLE_ORDER, SIGNAL_READABLE, TIME_MAX).status, STATUS_OK);
        struct order_message m = order_take(HANDLE_ORDER);
        order_answer(HANDLE_ORDER, &report);
        if (m.order == ORDER_SWITCH)
            switch_hooks(m.count, &report);
    }
}
