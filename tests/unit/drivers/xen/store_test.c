/* SPDX-License-Identifier: MIT
 * The xenstore client with the test as the daemon: a small store with transactions that answers within the event, and
 * everything that a daemon must not do. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "drivers/xen/store.h"

#include <arch/atomic.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/host.h"

#define PORT 3u
#define SPINS 100u
#define SPINS_MANY 100000u

static struct {
    struct xenstore_domain_interface ring;
    unsigned char behind[4096 - sizeof(struct xenstore_domain_interface)]; /* the rest of the page, untouched */
} page;

/* The daemon. */
static struct {
    bool asleep;          /* does not look at events */
    unsigned chunk;       /* bytes it moves at once; 0: all it can */
    uint32_t number_skew; /* added to each answer's number */
    uint32_t type_skew;   /* added to each answer's type */
    unsigned conflicts;   /* commits that fail with EAGAIN */
    const char *start_answer;
    const char *error; /* what every request is answered with */
    const char *write_error;
    char shutdown[600]; /* the value of the key; absent: there is no such key */
    bool absent;
    char staged[600]; /* within the transaction */
    bool has_staged;
    char watch[64];
    char features[128];
    char trace[4096]; /* a word per request */
    char in[4096], out[1 << 16];
    size_t in_bytes, out_bytes, out_next;
} peer;

static unsigned told;
static enum xen_shutdown_request told_kind;

static void answer(const struct xsd_sockmsg *asked, uint32_t type, const char *payload, size_t n)
{
    struct xsd_sockmsg head = { .type = type + peer.type_skew, .req_id = asked->req_id + peer.number_skew,
                                .tx_id = asked->tx_id, .len = (uint32_t)n };
    cr_assert(le(sz, peer.out_bytes + sizeof(head) + n, sizeof(peer.out)));
    memcpy(peer.out + peer.out_bytes, &head, sizeof(head));
    memcpy(peer.out + peer.out_bytes + sizeof(head), payload, n);
    peer.out_bytes += sizeof(head) + n;
}

static void error_out(const struct xsd_sockmsg *asked, const char *name)
{
    answer(asked, XS_ERROR, name, strlen(name) + 1);
}

static void event_out(const char *payload, size_t n)
{
    struct xsd_sockmsg nobody = { 0 };
    uint32_t skews[2] = { peer.type_skew, peer.number_skew };
    peer.type_skew = peer.number_skew = 0;
    answer(&nobody, XS_WATCH_EVENT, payload, n);
    peer.type_skew = skews[0];
    peer.number_skew = skews[1];
}

static void key_event(void)
{
    if (peer.watch[0])
        event_out("control/shutdown\0tern", sizeof("control/shutdown\0tern"));
}

static const char long_value[3000];

static void key_read(const struct xsd_sockmsg *head, const char *path)
{
    if (strcmp(path, "control/shutdown") == 0 && !peer.absent)
        answer(head, XS_READ, peer.shutdown, strlen(peer.shutdown));
    else if (strcmp(path, "domid") == 0)
        answer(head, XS_READ, "17", 2);
    else if (strcmp(path, "long") == 0)
        answer(head, XS_READ, long_value, sizeof(long_value));
    else
        error_out(head, "ENOENT");
}

static void key_write(const struct xsd_sockmsg *head, const char *path, const char *value, size_t n)
{
    if (peer.write_error) {
        error_out(head, peer.write_error);
        return;
    }
    if (strcmp(path, "control/shutdown") == 0) {
        cr_assert(ne(u32, head->tx_id, 0));
        snprintf(peer.staged, sizeof(peer.staged), "%.*s", (int)n, value);
        peer.has_staged = true;
    } else {
        size_t have = strlen(peer.features);
        snprintf(peer.features + have, sizeof(peer.features) - have, "%s=%.*s ", path, (int)n, value);
    }
    answer(head, XS_WRITE, "OK", 3);
}

static void transaction_end(const struct xsd_sockmsg *head, bool commit)
{
    bool staged = peer.has_staged;
    peer.has_staged = false;
    if (commit && peer.conflicts) {
        peer.conflicts--;
        error_out(head, "EAGAIN");
        return;
    }
    answer(head, XS_TRANSACTION_END, "OK", 3);
    if (!commit || !staged)
        return;
    strcpy(peer.shutdown, peer.staged);
    key_event();
}

static void request_take(const struct xsd_sockmsg *head, const char *payload)
{
    static const char *const names[] = { [XS_READ] = "read",   [XS_WRITE] = "write",          [XS_WATCH] = "watch",
                                         [XS_TRANSACTION_START] = "start", [XS_TRANSACTION_END] = "end" };
    size_t have = strlen(peer.trace);
    snprintf(peer.trace + have, sizeof(peer.trace) - have, "%s%s ", names[head->type],
             head->type == XS_TRANSACTION_END ? payload : "");
    if (peer.error) {
        error_out(head, peer.error);
        return;
    }
    size_t path_bytes = strlen(payload) + 1;
    if (head->type == XS_READ) {
        key_read(head, payload);
    } else if (head->type == XS_WRITE) {
        key_write(head, payload, payload + path_bytes, head->len - path_bytes);
    } else if (head->type == XS_TRANSACTION_START) {
        cr_assert(eq(u32, head->len, 1));
        answer(head, head->type, peer.start_answer, strlen(peer.start_answer) + 1);
    } else if (head->type == XS_TRANSACTION_END) {
        transaction_end(head, payload[0] == 'T');
    } else {
        cr_assert(eq(u32, head->len, path_bytes + strlen(payload + path_bytes) + 1));
        strcpy(peer.watch, payload);
        key_event(); /* xenstored's first event may overtake the answer */
        answer(head, XS_WATCH, "OK", 3);
    }
}

/* Requests from the ring; each whole one is answered. */
static void requests_take(void)
{
    uint32_t prod = load_acquire(&page.ring.req_prod), cons = page.ring.req_cons; /* pairs: xen-store-request */
    cr_assert(le(u32, prod - cons, XENSTORE_RING_SIZE));
    for (; cons != prod; cons++) {
        peer.in[peer.in_bytes++] = page.ring.req[MASK_XENSTORE_IDX(cons)];
        struct xsd_sockmsg head;
        memcpy(&head, peer.in, sizeof(head));
        if (peer.in_bytes < sizeof(head) || peer.in_bytes < sizeof(head) + head.len)
            continue;
        cr_assert(ne(u32, head.req_id, 0));
        request_take(&head, peer.in + sizeof(head));
        peer.in_bytes = 0;
    }
    store_release(&page.ring.req_cons, cons); /* pairs: xen-store-request-space */
}

static void answers_give(void)
{
    uint32_t cons = load_acquire(&page.ring.rsp_cons), prod = page.ring.rsp_prod; /* pairs: xen-store-response-space */
    for (unsigned n = 0; peer.out_next < peer.out_bytes && prod - cons != XENSTORE_RING_SIZE; n++) {
        if (peer.chunk && n == peer.chunk)
            break;
        page.ring.rsp[MASK_XENSTORE_IDX(prod++)] = peer.out[peer.out_next++];
    }
    store_release(&page.ring.rsp_prod, prod); /* pairs: xen-store-response */
    if (peer.out_next == peer.out_bytes)
        peer.out_next = peer.out_bytes = 0;
}

static void notify(uint32_t port)
{
    cr_assert(eq(u32, port, PORT));
    if (peer.asleep)
        return;
    requests_take();
    answers_give();
}

static void begin_at(uint32_t index)
{
    memset(&page, 0, sizeof(page));
    memset(&peer, 0, sizeof(peer));
    peer.start_answer = "5";
    page.ring.req_cons = page.ring.req_prod = page.ring.rsp_cons = page.ring.rsp_prod = index;
    cr_assert(eq(int, xen_store_init(&page.ring, PORT, notify), STATUS_OK));
}

static void begin(void)
{
    begin_at(UINT32_MAX - 100);
}

TestSuite(xen_store, .init = begin, .timeout = 20);

static struct xen_store_stats stats(void)
{
    struct xen_store_stats s;
    xen_store_stats_read(&s);
    return s;
}

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

static void trace_is(const char *expected)
{
    cr_assert(eq(str, peer.trace, (char *)(uintptr_t)expected));
}

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
    } cases[] = { { "ENOENT", STATUS_NOT_FOUND },          { "EACCES", STATUS_PERMISSION_DENIED },
                  { "EAGAIN", STATUS_ABORTED },            { "EINVAL", STATUS_INVALID_ARGUMENT },
                  { "ENOSPC", STATUS_RESOURCE_EXHAUSTED }, { "EWHATEVER", STATUS_UNKNOWN },
                  { "", STATUS_UNKNOWN },                  { "ENOEN", STATUS_UNKNOWN } };
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
    static const uint32_t bad[] = { 1025, 5000, INT32_MAX, INT32_MAX + 1u };
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
    static const uint32_t bad[] = { 4097, UINT32_MAX, UINT32_MAX - 15 };
    for (size_t n = 0; n < sizeof(bad) / sizeof(*bad); n++) {
        struct xsd_sockmsg head = { .type = XS_READ, .req_id = 1, .len = bad[n] };
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

Test(xen_store, announces_and_watches)
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

Test(xen_store, a_watch_that_fails)
{
    peer.error = "EACCES";
    cr_assert(eq(int, xen_store_watch_shutdown(requested, SPINS), STATUS_PERMISSION_DENIED));
    peer.error = NULL;
    cr_assert(eq(int, xen_store_watch_shutdown(requested, SPINS), STATUS_OK), "may be tried again");
}

Test(xen_store, obeys_and_acknowledges)
{
    static const struct {
        const char *value;
        enum xen_shutdown_request kind;
    } cases[] = { { "poweroff", XEN_SHUTDOWN_POWEROFF },
                  { "reboot", XEN_SHUTDOWN_REBOOT },
                  { "halt", XEN_SHUTDOWN_HALT } };
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

Test(xen_store, refuses_visibly)
{
    static const char *const values[] = { "suspend", "crash", "poweroff ", "power", "\n\x01\xff" };
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

Test(xen_store, a_transaction_that_collides)
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

Test(xen_store, a_key_that_may_not_be_written)
{
    watch();
    peer.write_error = "EACCES";
    somebody_writes("poweroff");
    trace_is("start read write endF ");
    cr_assert(eq(u32, told, 1));
}

Test(xen_store, transactions_that_make_no_sense)
{
    static const char *const bad[] = { "0", "", "x", "4294967296", "99999999999999999999", "-1", "5 " };
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

Test(xen_store, events_that_are_not_ours)
{
    watch();
    event_out("control/shutdown\0alien", sizeof("control/shutdown\0alien"));
    event_out("control/sysrq\0tern", sizeof("control/sysrq\0tern"));
    event_out("control/shutdown\0tern", sizeof("control/shutdown\0tern") - 1); /* no NUL */
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

Test(xen_store, a_full_ring_of_messages_in_one_poll)
{
    watch();
    for (unsigned n = 0; n < 63; n++)
        event_out("", 0);
    struct xsd_sockmsg nobody = { 0 };
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

Test(xen_store, calls_during_a_conversation)
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
            cr_assert(ne(int, xen_store_watch_shutdown(requested, 2), STATUS_OK));
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
