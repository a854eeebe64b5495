/* SPDX-License-Identifier: MIT
 * xenstored as the tests play it: a small store with transactions that answers within the event, and knobs for what a
 * daemon must not do. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "drivers/xen/store.h"

#define PORT 3u
#define SPINS 100u
#define SPINS_MANY 100000u

struct store_page {
    struct xenstore_domain_interface ring;
    unsigned char behind[4096 - sizeof(struct xenstore_domain_interface)]; /* the rest of the page, untouched */
};
extern struct store_page page;

struct store_peer {
    bool asleep;          /* does not look at events */
    unsigned chunk;       /* bytes it moves at once; 0: all it can */
    uint32_t number_skew; /* added to each answer's number */
    uint32_t type_skew;   /* added to each answer's type */
    unsigned conflicts;   /* commits that fail with EAGAIN */
    const char *start_answer;
    bool event_behind; /* an event of no meaning follows each value in the same go */
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
};
extern struct store_peer peer;

/* A new page whose indices begin at `index`, a new daemon, and the client begun on both. */
void begin_at(uint32_t index);
/* The same, at indices that soon wrap. */
void begin(void);

/* What the client calls: the daemon looks at both rings. */
void notify(uint32_t port);

/* Sends an answer, or an event, with any payload. */
void answer(const struct xsd_sockmsg *asked, uint32_t type, const char *payload, size_t n);
void event_out(const char *payload, size_t n);
/* The event of the key, if it is watched. */
void key_event(void);

struct xen_store_stats stats(void);
void trace_is(const char *expected);
