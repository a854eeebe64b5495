/* SPDX-License-Identifier: MIT
 * Memory order against xenstored, a process of another domain on another CPU; indices run freely and are masked at use:
 *   message, then our req_prod (release); its req_prod (acquire), then the message   pairs: xen-store-request
 *   its reads, then its req_cons (release); our req_cons (acquire), then new bytes   pairs: xen-store-request-space
 *   its bytes, then its rsp_prod (release); our rsp_prod (acquire), then the bytes   pairs: xen-store-response
 *   our reads, then our rsp_cons (release); its rsp_cons (acquire), then new bytes   pairs: xen-store-response-space
 * An event follows each store of an index, so that neither side's sleep can miss one: no full fence. Traffic is a few
 * messages at boot and at shutdown, so bytes are copied one by one. */
#include "drivers/xen/store_wire.h"

#include <arch/atomic.h>
#include "sys/lib/string.h"

#define HEAD_BYTES ((uint32_t)sizeof(struct xsd_sockmsg))

_Static_assert(HEAD_BYTES == 16, "message head layout");
_Static_assert(offsetof(struct xenstore_domain_interface, server_features) == 2064, "ring layout");
_Static_assert(HEAD_BYTES + STORE_REQUEST_MAX <= XENSTORE_RING_SIZE, "a request fits into the empty ring");

void store_wire_begin(struct store_wire *w, struct xenstore_domain_interface *page, uint32_t port,
                      void (*notify)(uint32_t port))
{
    *w = (struct store_wire){.page = page, .notify = notify, .port = port};
}

/* The daemon's own word that it gave up, and the two indices. */
static void page_check(struct store_wire *w)
{
    if (load_relaxed(&w->page->server_features) & XENSTORE_SERVER_FEATURE_ERROR &&
        load_relaxed(&w->page->error) != XENSTORE_ERROR_NONE)
        w->fault = "the daemon gave the connection up";
    else if (w->req_prod - load_relaxed(&w->page->req_cons) > XENSTORE_RING_SIZE)
        w->fault = "the daemon says that it took more than it was given";
    else if (load_relaxed(&w->page->rsp_prod) - w->rsp_cons > XENSTORE_RING_SIZE)
        w->fault = "the daemon says that it gave more than the ring holds";
}

bool store_wire_ready(struct store_wire *w)
{
    if (!w->page || w->fault)
        return false;
    if (!w->attached) {
        /* A guest may be started before the daemon: Xen says RECONNECT in this word until it has come. */
        if (load_relaxed(&w->page->connection) != XENSTORE_CONNECTED)
            return false;
        w->req_prod = load_relaxed(&w->page->req_prod);
        w->rsp_cons = load_relaxed(&w->page->rsp_cons);
        w->attached = true;
    }
    page_check(w);
    return !w->fault;
}

static void request_put(struct store_wire *w, const void *bytes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        w->page->req[MASK_XENSTORE_IDX(w->req_prod + i)] = ((const char *)bytes)[i];
    w->req_prod += n;
}

enum status store_wire_send(struct store_wire *w, const struct xsd_sockmsg *head, const char *payload)
{
    if (head->len > STORE_REQUEST_MAX)
        return STATUS_INVALID_ARGUMENT;
    if (!store_wire_ready(w))
        return w->fault ? STATUS_DATA_LOSS : STATUS_UNAVAILABLE;
    uint32_t queued = w->req_prod - load_acquire(&w->page->req_cons); /* pairs: xen-store-request-space */
    if (queued > XENSTORE_RING_SIZE || XENSTORE_RING_SIZE - queued < HEAD_BYTES + head->len)
        return STATUS_UNAVAILABLE; /* an index that became impossible only now is said by the next look */

    /* point of no return */
    request_put(w, head, HEAD_BYTES);
    request_put(w, payload, head->len);
    store_release(&w->page->req_prod, w->req_prod); /* pairs: xen-store-request */
    w->messages_out++;
    w->notify(w->port);
    return STATUS_OK;
}

/* Bytes of the message that comes in which are still wanted; the head's own length counts once the head is there. */
static uint32_t bytes_wanted(const struct store_wire *w)
{
    return w->got < HEAD_BYTES ? HEAD_BYTES - w->got : HEAD_BYTES + w->head.len - w->got;
}

/* Keeps byte number w->got of the message, or drops it behind what is kept. */
static void byte_keep(struct store_wire *w, char byte)
{
    if (w->got < HEAD_BYTES)
        ((char *)&w->head)[w->got] = byte;
    else if (w->got - HEAD_BYTES < STORE_KEPT_MAX)
        w->payload[w->got - HEAD_BYTES] = byte;
    w->got++;
}

/* Takes up to `queued` bytes, to the end of the message; returns how many. */
static uint32_t message_fill(struct store_wire *w, uint32_t queued)
{
    uint32_t taken = 0;
    while (taken < queued && bytes_wanted(w)) {
        byte_keep(w, w->page->rsp[MASK_XENSTORE_IDX(w->rsp_cons + taken)]);
        taken++;
        if (w->got == HEAD_BYTES && w->head.len > XENSTORE_PAYLOAD_MAX) {
            w->fault = "the daemon sends a message longer than there can be";
            break;
        }
    }
    return taken;
}

bool store_wire_receive(struct store_wire *w)
{
    if (!store_wire_ready(w))
        return false;
    if (w->got >= HEAD_BYTES && !bytes_wanted(w))
        w->got = 0;                                                   /* the last one was whole */
    uint32_t queued = load_acquire(&w->page->rsp_prod) - w->rsp_cons; /* pairs: xen-store-response */
    uint32_t taken = queued > XENSTORE_RING_SIZE ? 0 : message_fill(w, queued);
    if (!taken || w->fault)
        return false;
    w->rsp_cons += taken;
    store_release(&w->page->rsp_cons, w->rsp_cons); /* pairs: xen-store-response-space */
    w->notify(w->port);
    bool whole = w->got >= HEAD_BYTES && !bytes_wanted(w);
    w->messages_in += whole;
    return whole;
}
