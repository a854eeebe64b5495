/* SPDX-License-Identifier: MIT
 * What the judge of the hooks_churn test orders, and what it is told. */
#pragma once
#include "tests/guest/syscall/hooks.h"

enum order {
    ORDER_SWITCH = 1, /* a switcher: answer, then switch hooks until it was so `count` times */
    ORDER_REPORT,     /* what was done so far; a client at work goes on */
    ORDER_WORK,       /* a client: answer, then make calls of all kinds */
    ORDER_REST,       /* a client at work: stop, and report */
    ORDER_NOPS,       /* a client at rest: make `count` calls that do nothing, and report */
    ORDER_LOCKED,     /* a client at rest: lockdown is on, try it */
    ORDER_UNLOCKED,   /* a client at rest: it is off again */
};

struct order_message {
    uint64_t order;
    uint64_t count;
};

struct report {
    uint64_t rounds;  /* of a client's calls; of a switcher, changes */
    uint64_t nops;    /* of a client: debug_nop, ever */
    uint64_t refused; /* of a client, registrations that found lockdown on; of a switcher, calls until it was so */
};

/* The order that is pending: read, and to be answered. */
static inline struct order_message order_take(uint64_t handle)
{
    struct order_message m = {0, 0};
    check_ok("order", channel_read(handle, 0, &m, sizeof m), sizeof m);
    return m;
}

static inline void order_answer(uint64_t handle, const struct report *report)
{
    check_ok("report", channel_respond(handle, report, sizeof *report), 0);
}
