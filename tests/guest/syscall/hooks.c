/* SPDX-License-Identifier: MIT
 * The story: one process switches hooks on and off around calls of its own and of a server that is blocked in a call
 * all the while. Results never change. `latency` counts the calls whose beginning and end it saw and no other: those
 * that are refused or invalid too, not one that began before it came or ended after it had gone, wherever the other
 * hooks stand. `lockdown` refuses what it should and nothing else. With hooks=audit at boot the log has, at the end, a
 * line for a call that a hook refused and for calls that validation refused. */
#include "handles.h"
#include "tests/guest/syscall/hooks.h"

#define TIMES 100

static void echo(uint64_t value)
{
    uint64_t answer = 0;
    check_ok("echo", channel_transact(HANDLE_ECHO, &value, sizeof value, &answer, sizeof answer, TIME_MAX),
             sizeof answer);
    check_u64("echo", answer, value);
}

static void nops(uint64_t n)
{
    while (n--)
        debug_nop();
}

static struct result hook(const char *name, size_t n, uint64_t on)
{
    return syscall_hook(name, n, on);
}

static void try_names(void)
{
    check_refused("no such hook", hook("bogus", 5, 1), STATUS_NOT_FOUND);
    check_refused("half a name", hook("audi", 4, 1), STATUS_NOT_FOUND);
    check_refused("a name and a NUL", hook("latency", 8, 1), STATUS_NOT_FOUND);
    check_refused("no name", hook("", 0, 1), STATUS_NOT_FOUND);
    check_refused("neither on nor off", hook("latency", 7, 2), STATUS_OUT_OF_RANGE);
    hook_switch("latency", true);
    check_ok("on already", hook("latency", 7, 1), 0);
    hook_switch("latency", false);
    check_ok("off already", hook("latency", 7, 0), 0);
}

static void try_counts(void)
{
    uint64_t calls = hook_stats(CALL_debug_nop).calls;
    hook_check_samples("before", CALL_debug_nop, 0);
    hook_switch("latency", true);
    hook_check_samples("it has come", CALL_debug_nop, 0);
    nops(TIMES);
    hook_check_samples("calls seen", CALL_debug_nop, TIMES);
    for (uint64_t i = 0; i < TIMES; i++)
        check_refused("an invalid call", debug_putc(128 + i), STATUS_OUT_OF_RANGE);
    hook_check_samples("invalid calls seen", CALL_debug_putc, TIMES);
    for (uint64_t i = 0; i < TIMES; i++)
        check_refused("a call of nothing", extension_call(ADD_NUMBER + i, 1, 2, 0, 0, 0, 0), STATUS_UNIMPLEMENTED);
    hook_check_samples("calls of nothing seen, in the row of all others", ADD_NUMBER, TIMES);
    struct syscall_stats stats = hook_stats(CALL_debug_nop);
    check_at_least("least", stats.min, 1);
    check_at_most("least and most", stats.min, stats.max);
    check_at_most("least and sum", TIMES * stats.min, stats.sum);
    hook_switch("latency", false);
    nops(TIMES);
    hook_check_samples("it has gone", CALL_debug_nop, TIMES);
    check_u64("calls counted all the time", hook_stats(CALL_debug_nop).calls - calls, 2 * TIMES);
    hook_switch("latency", true);
    hook_check_samples("it begins anew", CALL_debug_nop, 0);
    hook_switch("latency", false);
}

/* Calls of this process that block, or let others run, and go on. */
static void try_own_calls(void)
{
    hook_switch("latency", true);
    for (uint64_t i = 1; i <= 10; i++) {
        check_sleep_until(HANDLE_ECHO, clock_now() + 100 * US);
        thread_yield();
        echo(i);
        check_signals("echo's handle", object_wait(HANDLE_ECHO, SIGNAL_WRITEABLE, TIME_MAX), SIGNAL_WRITEABLE);
        hook_check_samples("sleeps and a wait that did not block", CALL_object_wait, 2 * i);
        hook_check_samples("yields", CALL_thread_yield, i);
        hook_check_samples("transactions", CALL_channel_transact, i);
    }
    hook_switch("latency", false);
}

/* The server is blocked in channel_respond_and_wait whenever this process runs; an echo ends that call and begins the
 * next. */
static void try_blocked_server(void)
{
    const uint64_t number = CALL_channel_respond_and_wait;
    hook_switch("latency", true);
    echo(1);
    hook_check_samples("its call began before", number, 0);
    echo(2);
    hook_check_samples("one whole call", number, 1);
    echo(3);
    hook_check_samples("another", number, 2);
    hook_switch("latency", false);
    echo(4);
    hook_check_samples("it had gone before the call's end", number, 2);
    echo(5);
    hook_switch("latency", true);
    echo(6);
    hook_check_samples("it came after the call's beginning", number, 0);
    hook_switch("latency", false);
    hook_switch("latency", true);
    echo(7);
    hook_check_samples("gone and come within one call", number, 0);
    echo(8);
    hook_check_samples("there all the time", number, 1);
    hook_switch("latency", false);
}

/* A hook that stands before or behind latency goes, or comes, within the server's call. */
static void try_neighbours(void)
{
    static const char *const others[] = {"audit", "lockdown"};
    const uint64_t number = CALL_channel_respond_and_wait;
    for (size_t i = 0; i < 2; i++) {
        hook_switch(others[i], true);
        hook_switch("latency", true);
        hook_switch(others[1 - i], true);
        echo(10);
        echo(11);
        hook_check_samples("three hooks", number, 1);
        hook_switch(others[i], false);
        echo(12);
        hook_check_samples("the one before has gone", number, 2);
        hook_switch(others[1 - i], false);
        echo(13);
        hook_check_samples("the one behind has gone", number, 3);
        hook_switch(others[i], true);
        echo(14);
        hook_check_samples("another has come", number, 4);
        hook_switch("latency", false);
        hook_switch(others[1 - i], true); /* where latency was, when the call began */
        hook_switch("latency", true);
        echo(15);
        hook_check_samples("its place was taken meanwhile", number, 0);
        hook_switch("latency", false);
        hook_switch(others[0], false);
        hook_switch(others[1], false);
        echo(16);
    }
}

static void try_lockdown(void)
{
    check_ok("register", syscall_register(ADD_NUMBER, "add", 3), 0);
    hook_switch("lockdown", true);
    hook_switch("latency", true);
    check_refused("register", syscall_register(43, "add", 3), STATUS_PERMISSION_DENIED);
    check_refused("a registration that makes no sense", syscall_register(UINT64_MAX, NULL, 99),
                  STATUS_PERMISSION_DENIED);
    check_refused("unregister", syscall_unregister(ADD_NUMBER), STATUS_PERMISSION_DENIED);
    check_refused("unregister nothing", syscall_unregister(43), STATUS_PERMISSION_DENIED);
    hook_check_samples("refused registrations seen", CALL_syscall_register, 2);
    hook_check_samples("refused removals seen", CALL_syscall_unregister, 2);
    check_ok("a registered call", extension_call(ADD_NUMBER, 40, 2, 0, 0, 0, 0), 42);
    check_ok("lookup", syscall_lookup("add", 3), ADD_NUMBER);
    check_ok("log", debug_log("", 0), 0);
    check_status("clock", debug_clock_now().status, STATUS_OK);
    check_refused("wait", object_wait(HANDLE_ECHO, SIGNAL_NEVER, 0), STATUS_DEADLINE_EXCEEDED);
    check_refused("export", histogram_export(HANDLE_ECHO, "x", 1), STATUS_UNIMPLEMENTED);
    echo(17);
    hook_switch("latency", false);
    hook_switch("lockdown", false);
    check_ok("unregister", syscall_unregister(ADD_NUMBER), 0);
}

/* With hooks=lockdown it is there before any process. */
static void begin(const char *hooks)
{
    if (strncmp(hooks, "lockdown", 8) != 0)
        return;
    check_refused("register, locked down at boot", syscall_register(ADD_NUMBER, "add", 3), STATUS_PERMISSION_DENIED);
    hook_switch("lockdown", false);
}

/* What the log shall show at the end (tests.cfg), within each CPU's last 256 calls: switching takes many. */
static void leave_traces(void)
{
    hook_switch("lockdown", true);
    check_refused("a call that a hook refuses", syscall_register(77, "add", 3), STATUS_PERMISSION_DENIED);
    check_refused("a value out of range", debug_putc(300), STATUS_OUT_OF_RANGE);
    check_refused("a buffer at null", debug_log(NULL, 8), STATUS_INVALID_ARGUMENT);
    check_refused("a call of nothing", extension_call(99, 1, 2, 0, 0, 0, 0), STATUS_UNIMPLEMENTED);
    check_ok("a good call", syscall_lookup("debug_nop", 9), CALL_debug_nop);
    echo(18); /* the server's next call begins with all hooks there, */
    echo(19); /* and ends */
}

int main(void)
{
    char hooks[32];
    bool audit = tern_argument("hooks", hooks, sizeof hooks) && strcmp(hooks, "audit") == 0;
    begin(hooks);
    try_names();
    try_counts();
    try_own_calls();
    try_blocked_server();
    try_neighbours();
    try_lockdown();
    if (audit)
        hook_switch("audit", true); /* again: it has come and gone */
    leave_traces();
    tern_success();
}
