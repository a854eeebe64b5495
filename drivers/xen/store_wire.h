/* SPDX-License-Identifier: MIT
 * Messages through the page that a guest shares with xenstored (struct xenstore_domain_interface): whole ones out,
 * whole ones in, one at a time. Private to store.c and its tests. The daemon is not trusted: an index it cannot have
 * set by working the ring off, or a payload longer than the protocol allows, after which nobody knows where the next
 * message begins, gives the connection up. Boot CPU, no lock. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/io/xs_wire.h>
#include "sys/abi/status.h"

#define STORE_REQUEST_MAX 512u /* bytes of payload out; with its head it fits into the empty ring */
#define STORE_KEPT_MAX 512u    /* bytes of payload in that are kept; what is longer is drained */

struct store_wire {
    struct xenstore_domain_interface *page;
    void (*notify)(uint32_t port);
    uint32_t port;
    bool attached;               /* the daemon is there, and the two indices are ours */
    uint32_t req_prod, rsp_cons; /* what the page says of them is read when attached, never again */
    const char *fault;           /* why the connection was given up; NULL while it stands */
    uint64_t messages_out, messages_in;
    /* The message that comes in, or has come in. */
    char payload[STORE_KEPT_MAX]; /* the first head.len or STORE_KEPT_MAX bytes, whichever is less */
    uint32_t got;                 /* bytes of head and payload */
    struct xsd_sockmsg head;
};

/* Starts, without touching the page. */
void store_wire_begin(struct store_wire *w, struct xenstore_domain_interface *page, uint32_t port,
                      void (*notify)(uint32_t port));

/* Whether messages can be sent and received: attaches when the daemon has come. */
bool store_wire_ready(struct store_wire *w);

/* Puts a message of head->len bytes of payload into the ring. UNAVAILABLE: no daemon yet, or no room now. DATA_LOSS:
 * given up. INVALID_ARGUMENT: longer than STORE_REQUEST_MAX. */
enum status store_wire_send(struct store_wire *w, const struct xsd_sockmsg *head, const char *payload);

/* Takes what has come of the next message. True if it is whole: head and payload are then valid until the next call. */
bool store_wire_receive(struct store_wire *w);
