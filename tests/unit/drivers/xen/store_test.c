/* SPDX-License-Identifier: MIT
 * Requests to xenstore and their answers, from a daemon that works, sleeps, comes late, lies, or makes noise. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "drivers/xen/store.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/drivers/xen/store_daemon.h"
#include "tests/unit/host.h"

TestSuite(xen_store, .init = begin, .timeout = 20);

Test(xen_store, reads)
{
    char buf[8];
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_OK));
    cr_assert(eq(str, buf, (char *)"17"));
    cr_assert(eq(int, xen_store_read("domid", buf, 3, SPINS), STATUS_OK));
    cr_assert(eq(int, xen_store_read("domid", buf, 2, SPINS), STATUS_OUT_OF_RANGE));
    cr_assert(eq(int, xen_store_read("domid", buf, 0, SPINS), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, xen_store_read("name", buf, sizeof(buf), SPINS), STATUS_NOT_FOUND));
    cr_assert(eq(u64, stats().answers, 4));
}

Test(xen_store, many_requests_and_every_chunk)
{
    char buf[8];
    for (unsigned n = 0; n < 2000; n++) {
        peer.chunk = n % 40;
        peer.trace[0] = '\0';
        memset(buf, 'x', sizeof(buf));
        cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_OK));
        cr_assert(eq(str, buf, (char *)"17"));
    }
    for (size_t n = 0; n < sizeof(page.behind); n++)
        cr_assert(zero(u8, page.behind[n]));
}

Test(xen_store, errors_by_name)
{
    static const struct {
        const char *name;
        enum status status;
    } cases[] = {{"ENOENT", STATUS_NOT_FOUND},
                 {"EACCES", STATUS_PERMISSION_DENIED},
                 {"EAGAIN", STATUS_ABORTED},
                 {"EINVAL", STATUS_INVALID_ARGUMENT},
                 {"ENOSPC", STATUS_RESOURCE_EXHAUSTED},
                 {"EWHATEVER", STATUS_UNKNOWN},
                 {"", STATUS_UNKNOWN},
                 {"ENOEN", STATUS_UNKNOWN}};
    char buf[8];
    for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
        peer.error = cases[n].name;
        cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), cases[n].status));
    }
}

Test(xen_store, arguments_too_long)
{
    char path[600], value[600], buf[8];
    memset(path, 'p', sizeof(path));
    memset(value, 'v', sizeof(value));
    path[256] = value[511] = '\0';
    cr_assert(eq(int, xen_store_read(path, buf, sizeof(buf), SPINS), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, xen_store_write("a", value, SPINS), STATUS_INVALID_ARGUMENT));
    trace_is("");
    path[255] = value[510] = '\0';
    cr_assert(eq(int, xen_store_read(path, buf, sizeof(buf), SPINS), STATUS_NOT_FOUND));
    peer.write_error = "ENOSPC";
    cr_assert(eq(int, xen_store_write("a", value, SPINS), STATUS_RESOURCE_EXHAUSTED));
}

Test(xen_store, a_daemon_that_sleeps)
{
    char buf[8];
    peer.asleep = true;
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_DEADLINE_EXCEEDED));
    cr_assert(eq(int, xen_store_read("name", buf, sizeof(buf), SPINS), STATUS_DEADLINE_EXCEEDED));
    peer.asleep = false;
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_OK), "not the first one's answer");
    cr_assert(eq(str, buf, (char *)"17"));
    cr_assert(eq(u64, stats().timeouts, 2));
    cr_assert(eq(u64, stats().refused, 2));
    peer.asleep = true;
    for (unsigned n = 0; n < 100; n++)
        cr_assert(ne(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_OK));
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_UNAVAILABLE), "no room any more");
    peer.asleep = false;
    peer.trace[0] = '\0';
    notify(PORT);
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_OK));
}

Test(xen_store, a_daemon_that_comes_late)
{
    char buf[8];
    memset(&page, 0, sizeof(page));
    page.ring.connection = XENSTORE_RECONNECT;
    page.ring.req_cons = 77;
    cr_assert(eq(int, xen_store_init(&page.ring, PORT, notify), STATUS_UNAVAILABLE));
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_UNAVAILABLE));
    trace_is("");
    page.ring.req_cons = 0;
    page.ring.connection = XENSTORE_CONNECTED;
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_OK));
}

Test(xen_store, answers_with_other_numbers_and_types)
{
    char buf[8];
    peer.number_skew = 1;
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_DEADLINE_EXCEEDED));
    cr_assert(eq(u64, stats().refused, 1));
    peer.number_skew = 0;
    peer.type_skew = 1;
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_DATA_LOSS));
    cr_assert(eq(u64, stats().refused, 2));
    peer.type_skew = 0;
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_OK));
}

Test(xen_store, long_answers_are_drained)
{
    static char buf[4096];
    cr_assert(eq(int, xen_store_read("long", buf, sizeof(buf), SPINS), STATUS_OUT_OF_RANGE));
    cr_assert(eq(u64, stats().refused, 1));
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_OK));
}

Test(xen_store, an_event_behind_the_answer)
{
    char buf[8];
    peer.event_behind = true;
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_OK));
    cr_assert(eq(str, buf, (char *)"17"));
    cr_assert(eq(u64, stats().events, 0), "left for the poll");
    xen_store_poll();
    cr_assert(eq(u64, stats().events, 1));
}

static void is_given_up(void)
{
    char buf[8];
    cr_assert(ne(ptr, (void *)(uintptr_t)stats().fault, NULL));
    uint32_t prod = page.ring.req_prod, cons = page.ring.rsp_cons;
    page.ring.req_cons = prod;
    page.ring.rsp_prod = cons + 100;
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), UINT64_MAX), STATUS_DATA_LOSS), "and does not wait");
    xen_store_poll();
    cr_assert(eq(u32, page.ring.req_prod, prod));
    cr_assert(eq(u32, page.ring.rsp_cons, cons));
}

Test(xen_store, indices_that_cannot_be)
{
    static const uint32_t bad[] = {1025, 5000, INT32_MAX, INT32_MAX + 1u};
    char buf[8];
    for (size_t n = 0; n < sizeof(bad) / sizeof(*bad); n++) {
        begin_at(0);
        page.ring.rsp_prod = bad[n];
        cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_DATA_LOSS));
        is_given_up();
        begin_at(0);
        page.ring.req_cons = bad[n];
        cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_DATA_LOSS));
        is_given_up();
        begin_at(0);
        page.ring.rsp_prod = bad[n];
        xen_store_poll();
        is_given_up();
    }
    page.ring.rsp_prod = 2000;
    cr_assert(eq(int, xen_store_init(&page.ring, PORT, notify), STATUS_DATA_LOSS));
    is_given_up();
}

Test(xen_store, a_message_longer_than_there_can_be)
{
    static const uint32_t bad[] = {4097, UINT32_MAX, UINT32_MAX - 15};
    for (size_t n = 0; n < sizeof(bad) / sizeof(*bad); n++) {
        struct xsd_sockmsg head = {.type = XS_READ, .req_id = 1, .len = bad[n]};
        begin_at(0);
        memcpy(page.ring.rsp, &head, sizeof(head));
        page.ring.rsp_prod = sizeof(head);
        xen_store_poll();
        is_given_up();
    }
}

Test(xen_store, the_daemon_gives_up)
{
    page.ring.error = XENSTORE_ERROR_PROTO;
    char buf[8];
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_OK), "this daemon has no such word");
    page.ring.server_features = XENSTORE_SERVER_FEATURE_ERROR;
    cr_assert(eq(int, xen_store_read("domid", buf, sizeof(buf), SPINS), STATUS_DATA_LOSS));
    is_given_up();
}

static void nobody_hears(enum xen_shutdown_request kind)
{
    (void)kind;
}

/* A daemon that writes anything, with and without legal indices. */
Test(xen_store, noise)
{
    char buf[64];
    srand(4);
    host_log_muted = true;
    peer.asleep = true;
    for (unsigned n = 0; n < 20000; n++) {
        if (n % 100 == 0 || stats().fault) {
            begin_at((uint32_t)rand());
            peer.asleep = true;
            cr_assert(ne(int, xen_store_watch_shutdown(nobody_hears, 2), STATUS_OK));
        }
        for (unsigned i = 0, most = (unsigned)rand() % 200; i < most; i++) {
            uint32_t at = page.ring.rsp_prod++;
            page.ring.rsp[MASK_XENSTORE_IDX(at)] = (char)(rand() % 4 ? rand() % 20 == 0 : rand());
        }
        page.ring.req_cons = page.ring.req_prod - (uint32_t)rand() % 1030;
        if (rand() % 500 == 0)
            page.ring.rsp_prod = (uint32_t)rand();
        (void)xen_store_read("domid", buf, sizeof(buf), 3);
        xen_store_poll();
    }
    for (size_t n = 0; n < sizeof(page.behind); n++)
        cr_assert(zero(u8, page.behind[n]));
}
