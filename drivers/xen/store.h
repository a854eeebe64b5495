/* SPDX-License-Identifier: MIT
 * What a guest without devices needs of xenstore: read and write a key, and hear of control/shutdown. There is one
 * connection and one request at a time. At boot calls wait, bounded, for their answers; later xen_store_poll works off
 * what an event announced. Boot CPU, no lock; not from an interrupt that may come within these functions. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/io/xs_wire.h>
#include "sys/abi/status.h"

#define XEN_STORE_PATH_MAX 255u

enum xen_shutdown_request {
    XEN_SHUTDOWN_POWEROFF,
    XEN_SHUTDOWN_REBOOT,
    XEN_SHUTDOWN_HALT,
    XEN_SHUTDOWN_SUSPEND, /* this and the next are refused: logged, and left standing in the store */
    XEN_SHUTDOWN_UNKNOWN,
};

struct xen_store_stats {
    uint64_t requests;
    uint64_t answers;
    uint64_t events;   /* watch events, refused ones included */
    uint64_t refused;  /* messages: malformed, too long, or an answer to nothing */
    uint64_t timeouts; /* requests whose answer was not waited for any longer */
    uint64_t retries;  /* of the transaction that acknowledges a shutdown */
    const char *fault; /* why there is no connection any more; NULL while there is */
};

/* Takes the page that HVM_PARAM_STORE_PFN names; `notify` sends an event on `port`, any time, and must not fail.
 * UNAVAILABLE: the daemon has not come yet, which later calls notice by themselves. DATA_LOSS: the page is no
 * connection. */
enum status xen_store_init(struct xenstore_domain_interface *page, uint32_t port, void (*notify)(uint32_t port));

/* Reads the key into buf, with a NUL behind it; relative paths are below /local/domain/OURS. Looks at most `spins`
 * times. NOT_FOUND; PERMISSION_DENIED; OUT_OF_RANGE: it does not fit; DEADLINE_EXCEEDED; UNAVAILABLE: no daemon within
 * `spins`; DATA_LOSS: the answer makes no sense or the connection is gone; INVALID_ARGUMENT: path or n; others as the
 * daemon's error says. */
enum status xen_store_read(const char *path, char *buf, size_t n, uint64_t spins);

/* Writes the key. As xen_store_read; path and value have 511 bytes together at most. */
enum status xen_store_write(const char *path, const char *value, uint64_t spins);

/* Says in the store what this guest does (control/feature-poweroff, feature-reboot) and watches control/shutdown. From
 * then on xen_store_poll calls `requested` for each request; those that it is to obey (poweroff, reboot, halt) have
 * been acknowledged by then. It may call the functions above. FAILED_PRECONDITION if called twice; else as
 * xen_store_write.
 */
enum status xen_store_watch_shutdown(void (*requested)(enum xen_shutdown_request), uint64_t spins);

/* Works off what has come, at most what a full ring holds, and goes on with what that led to. For each event on the
 * port, and once when such events are turned on. */
void xen_store_poll(void);

void xen_store_stats_read(struct xen_store_stats *out);
