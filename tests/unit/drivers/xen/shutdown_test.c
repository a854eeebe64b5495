/* SPDX-License-Identifier: MIT
 * The conversation about control/shutdown, with the steps that the daemon saw. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "drivers/xen/store.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include "tests/unit/drivers/xen/store_daemon.h"

static unsigned told;
static enum xen_shutdown_request told_kind;

TestSuite(xen_shutdown, .init = begin, .timeout = 20);

static void requested(enum xen_shutdown_request kind)
{
    told++;
    told_kind = kind;
}

/* Polls until the daemon has nothing more to say. */
static void settle(void)
{
    for (unsigned n = 0; n < 5000; n++) {
        notify(PORT);
        xen_store_poll();
    }
}

static void watch(void)
{
    cr_assert(eq(int, xen_store_watch_shutdown(requested, SPINS_MANY), STATUS_OK));
    settle();
    cr_assert(eq(u32, told, 0), "an absent or empty key asks for nothing");
    peer.trace[0] = '\0';
}

static void somebody_writes(const char *value)
{
    strcpy(peer.shutdown, value);
    key_event();
    settle();
}

Test(xen_shutdown, announces_and_watches)
{
    peer.absent = true;
    cr_assert(eq(int, xen_store_watch_shutdown(requested, SPINS), STATUS_OK));
    cr_assert(eq(str, peer.features, (char *)"control/feature-poweroff=1 control/feature-reboot=1 "));
    cr_assert(eq(str, peer.watch, (char *)"control/shutdown"));
    cr_assert(eq(int, xen_store_watch_shutdown(requested, SPINS), STATUS_FAILED_PRECONDITION));
    settle();
    trace_is("write write watch start read endF ");
    cr_assert(eq(u32, told, 0));
    cr_assert(zero(u64, stats().refused));
}

Test(xen_shutdown, a_watch_that_fails)
{
    peer.error = "EACCES";
    cr_assert(eq(int, xen_store_watch_shutdown(requested, SPINS), STATUS_PERMISSION_DENIED));
    peer.error = NULL;
    cr_assert(eq(int, xen_store_watch_shutdown(requested, SPINS), STATUS_OK), "may be tried again");
}

Test(xen_shutdown, obeys_and_acknowledges)
{
    static const struct {
        const char *value;
        enum xen_shutdown_request kind;
    } cases[] = {{"poweroff", XEN_SHUTDOWN_POWEROFF}, {"reboot", XEN_SHUTDOWN_REBOOT}, {"halt", XEN_SHUTDOWN_HALT}};
    watch();
    for (unsigned n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
        peer.trace[0] = '\0';
        peer.chunk = n * 3;
        somebody_writes(cases[n].value);
        cr_assert(eq(u32, told, n + 1));
        cr_assert(eq(int, told_kind, cases[n].kind));
        cr_assert(eq(str, peer.shutdown, (char *)""));
        trace_is("start read write endT start read endF ");
    }
    cr_assert(zero(u64, stats().refused));
}

Test(xen_shutdown, a_change_during_a_conversation)
{
    watch();
    strcpy(peer.shutdown, "reboot");
    key_event();
    key_event(); /* seen when the transaction is open, as is the one for the acknowledgement */
    settle();
    trace_is("start read write endT start read endF start read endF ");
    cr_assert(eq(u32, told, 1));
}

Test(xen_shutdown, refuses_visibly)
{
    static const char *const values[] = {"suspend", "crash", "poweroff ", "power", "\n\x01\xff"};
    watch();
    for (unsigned n = 0; n < sizeof(values) / sizeof(*values); n++) {
        peer.trace[0] = '\0';
        somebody_writes(values[n]);
        cr_assert(eq(u32, told, n + 1));
        cr_assert(eq(int, told_kind, n ? XEN_SHUTDOWN_UNKNOWN : XEN_SHUTDOWN_SUSPEND));
        cr_assert(eq(str, peer.shutdown, (char *)(uintptr_t)values[n]), "left standing");
        trace_is("start read endF ");
    }
    char big[600];
    memset(big, 'x', sizeof(big));
    big[599] = '\0';
    somebody_writes(big);
    cr_assert(eq(u32, told, 6));
    cr_assert(eq(int, told_kind, XEN_SHUTDOWN_UNKNOWN));
}

Test(xen_shutdown, a_transaction_that_collides)
{
    watch();
    peer.conflicts = 3;
    somebody_writes("reboot");
    trace_is("start read write endT start read write endT start read write endT start read write endT "
             "start read endF ");
    cr_assert(eq(u32, told, 1));
    cr_assert(eq(u64, stats().retries, 3));
    peer.conflicts = 1000;
    somebody_writes("poweroff");
    cr_assert(eq(u32, peer.conflicts, 1000 - 9), "bounded");
    cr_assert(eq(u32, told, 2), "obeyed all the same");
    cr_assert(eq(int, told_kind, XEN_SHUTDOWN_POWEROFF));
}

Test(xen_shutdown, a_key_that_may_not_be_written)
{
    watch();
    peer.write_error = "EACCES";
    somebody_writes("poweroff");
    trace_is("start read write endF ");
    cr_assert(eq(u32, told, 1));
}

Test(xen_shutdown, transactions_that_make_no_sense)
{
    static const char *const bad[] = {"0", "", "x", "4294967296", "99999999999999999999", "-1", "5 "};
    watch();
    for (size_t n = 0; n < sizeof(bad) / sizeof(*bad); n++) {
        peer.trace[0] = '\0';
        peer.start_answer = bad[n];
        somebody_writes("poweroff");
        trace_is("start ");
    }
    cr_assert(eq(u32, told, 0));
    peer.start_answer = "4294967295";
    somebody_writes("poweroff");
    cr_assert(eq(u32, told, 1));
}

Test(xen_shutdown, events_that_are_not_ours)
{
    watch();
    event_out("control/shutdown\0tern", sizeof("control/shutdown\0tern") - 1); /* no NUL, where there was one */
    event_out("control/shutdown\0alien", sizeof("control/shutdown\0alien"));
    event_out("control/sysrq\0tern", sizeof("control/sysrq\0tern"));
    event_out("control/shutdown", sizeof("control/shutdown"));
    event_out("control/shutdown", sizeof("control/shutdown") - 1);
    event_out("", 0);
    static char big[4096];
    memset(big, 'x', sizeof(big));
    event_out(big, sizeof(big));
    settle();
    trace_is("");
    cr_assert(eq(u64, stats().refused, 7));
    somebody_writes("halt");
    cr_assert(eq(u32, told, 1));
}

Test(xen_shutdown, a_full_ring_of_messages_in_one_poll)
{
    watch();
    for (unsigned n = 0; n < 63; n++)
        event_out("", 0);
    struct xsd_sockmsg nobody = {0};
    answer(&nobody, XS_READ, "", 0);
    notify(PORT);
    xen_store_poll();
    cr_assert(eq(u64, stats().refused, 64));
}

/* A caller waits while a conversation is under way: both end well. */
static void calls_back(enum xen_shutdown_request kind)
{
    char buf[8];
    requested(kind);
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_OK));
    cr_assert(eq(int, xen_store_write("data/x", "y", SPINS), STATUS_OK));
}

Test(xen_shutdown, calls_during_a_conversation)
{
    char buf[8];
    cr_assert(eq(int, xen_store_watch_shutdown(calls_back, SPINS), STATUS_OK));
    settle();
    strcpy(peer.shutdown, "poweroff");
    key_event();
    peer.chunk = 1;
    for (unsigned n = 0; n < 30; n++) {
        notify(PORT);
        xen_store_poll();
    }
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS_MANY), STATUS_OK));
    cr_assert(eq(str, buf, (char *)"17"));
    peer.chunk = 0;
    settle();
    cr_assert(eq(u32, told, 1));
    cr_assert(eq(str, peer.shutdown, (char *)""));
}
