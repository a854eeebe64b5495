/* SPDX-License-Identifier: MIT
 * The daemon's side of the page: requests are taken and answered at once, unless a knob says otherwise. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "tests/unit/drivers/xen/store_daemon.h"

#include <arch/atomic.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

struct store_page page;
struct store_peer peer;

void answer(const struct xsd_sockmsg *asked, uint32_t type, const char *payload, size_t n)
{
    struct xsd_sockmsg head = {.type = type + peer.type_skew,
                               .req_id = asked->req_id + peer.number_skew,
                               .tx_id = asked->tx_id,
                               .len = (uint32_t)n};
    cr_assert(le(sz, peer.out_bytes + sizeof(head) + n, sizeof(peer.out)));
    memcpy(peer.out + peer.out_bytes, &head, sizeof(head));
    memcpy(peer.out + peer.out_bytes + sizeof(head), payload, n);
    peer.out_bytes += sizeof(head) + n;
}

static void error_out(const struct xsd_sockmsg *asked, const char *name)
{
    answer(asked, XS_ERROR, name, strlen(name) + 1);
}

void event_out(const char *payload, size_t n)
{
    struct xsd_sockmsg nobody = {0};
    uint32_t skews[2] = {peer.type_skew, peer.number_skew};
    peer.type_skew = peer.number_skew = 0;
    answer(&nobody, XS_WATCH_EVENT, payload, n);
    peer.type_skew = skews[0];
    peer.number_skew = skews[1];
}

void key_event(void)
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
    if (peer.event_behind)
        event_out("zzzz", 5);
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
    static const char *const names[] = {[XS_READ] = "read",
                                        [XS_WRITE] = "write",
                                        [XS_WATCH] = "watch",
                                        [XS_TRANSACTION_START] = "start",
                                        [XS_TRANSACTION_END] = "end"};
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

void notify(uint32_t port)
{
    cr_assert(eq(u32, port, PORT));
    if (peer.asleep)
        return;
    requests_take();
    answers_give();
}

void begin_at(uint32_t index)
{
    memset(&page, 0, sizeof(page));
    memset(&peer, 0, sizeof(peer));
    peer.start_answer = "5";
    page.ring.req_cons = page.ring.req_prod = page.ring.rsp_cons = page.ring.rsp_prod = index;
    cr_assert(eq(int, xen_store_init(&page.ring, PORT, notify), STATUS_OK));
}

void begin(void)
{
    begin_at(UINT32_MAX - 100);
}

struct xen_store_stats stats(void)
{
    struct xen_store_stats s;
    xen_store_stats_read(&s);
    return s;
}

void trace_is(const char *expected)
{
    cr_assert(eq(str, peer.trace, (char *)(uintptr_t)expected));
}
