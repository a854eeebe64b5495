/* SPDX-License-Identifier: MIT
 * Client of the hooks_churn test: calls of every kind, each with its result, until it is told to rest. */
#include "handles.h"
#include "tests/guest/syscall/hooks_churn.h"

static struct report report;

static void nop(void)
{
    debug_nop();
    report.nops++;
}

static void echo(uint32_t handle)
{
    uint64_t value = report.rounds * 0x9e3779b97f4a7c15, answer = 0;
    check_ok("echo", channel_transact(handle, &value, sizeof value, &answer, sizeof answer, TIME_MAX), sizeof answer);
    check_u64("echo", answer, value);
}

/* Number 0 is never free, and 511 never taken. */
static void registrations(void)
{
    struct result r = syscall_register(0, "add", 3);
    if (r.status == STATUS_PERMISSION_DENIED)
        report.refused++;
    else
        check_status("register", r.status, STATUS_ALREADY_EXISTS);
    r = syscall_unregister(511);
    if (r.status != STATUS_PERMISSION_DENIED)
        check_status("unregister", r.status, STATUS_NOT_FOUND);
}

static void make_round(void)
{
    nop();
    check_ok("extension", extension_call(ADD_NUMBER, report.rounds, 5, 0, 0, 0, 0), report.rounds + 5);
    check_refused("no extension", extension_call(510, 1, 2, 0, 0, 0, 0), STATUS_UNIMPLEMENTED);
    echo(HANDLE_NEAR);
    check_refused("out of range", debug_putc(128), STATUS_OUT_OF_RANGE);
    check_refused("null", debug_log(NULL, 1), STATUS_INVALID_ARGUMENT);
    echo(HANDLE_FAR);
    check_ok("lookup", syscall_lookup("add", 3), ADD_NUMBER);
    check_signals("wait for what is there", object_wait(HANDLE_NEAR, SIGNAL_WRITEABLE, TIME_MAX), SIGNAL_WRITEABLE);
    check_sleep_until(HANDLE_NEAR, clock_now() + 20 * US);
    thread_yield();
    uint64_t before = clock_now();
    struct result r = debug_clock_now();
    check_status("clock", r.status, STATUS_OK);
    check_at_least("clock", r.value, before);
    registrations();
    report.rounds++;
}

/* Until it is told to rest. */
static void work(void)
{
    uint64_t order = ORDER_REPORT;
    while (order == ORDER_REPORT) {
        make_round();
        struct result r = object_wait(HANDLE_ORDER, SIGNAL_READABLE, 0);
        if (r.status == STATUS_DEADLINE_EXCEEDED)
            continue;
        check_status("order", r.status, STATUS_OK);
        order = order_take(HANDLE_ORDER).order;
        if (order == ORDER_REPORT)
            order_answer(HANDLE_ORDER, &report);
    }
    check_u64("order", order, ORDER_REST);
}

static void try_locked(void)
{
    check_refused("register", syscall_register(43, "add", 3), STATUS_PERMISSION_DENIED);
    check_refused("unregister", syscall_unregister(ADD_NUMBER), STATUS_PERMISSION_DENIED);
    check_ok("extension", extension_call(ADD_NUMBER, 1, 2, 0, 0, 0, 0), 3);
    echo(HANDLE_NEAR);
    echo(HANDLE_FAR);
}

static void obey(const struct order_message *m)
{
    switch (m->order) {
    case ORDER_WORK:
        order_answer(HANDLE_ORDER, &report);
        work();
        break;
    case ORDER_NOPS:
        for (uint64_t i = 0; i < m->count; i++)
            nop();
        break;
    case ORDER_LOCKED:
        try_locked();
        break;
    case ORDER_UNLOCKED:
        check_refused("register", syscall_register(ADD_NUMBER, "add", 3), STATUS_ALREADY_EXISTS);
        check_refused("unregister", syscall_unregister(511), STATUS_NOT_FOUND);
        break;
    default:
        tern_failure(STATUS_INTERNAL, "client: order %lu", m->order);
    }
}

int main(void)
{
    for (;;) {
        check_status("order", object_wait(HANDLE_ORDER, SIGNAL_READABLE, TIME_MAX).status, STATUS_OK);
        struct order_message m = order_take(HANDLE_ORDER);
        obey(&m);
        order_answer(HANDLE_ORDER, &report);
    }
}
