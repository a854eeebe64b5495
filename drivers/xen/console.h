/* SPDX-License-Identifier: MIT
 * Xen's two consoles for a guest, as one byte sink and source each. A domain that the toolstack built has a ring in a
 * page that it shares with a backend (struct xencons_interface, an event channel for news); the hardware domain has
 * hypercalls instead. Both put and get take the first k of n bytes, at once, and return k; their first argument is the
 * console, so that they fit where a `void *context` is wanted.
 *
 * The backend is not trusted: an index that it cannot have set by working the ring off is counted, and from then on the
 * console is silent. Boot CPU, no lock, no logging: the log ends up here. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/io/console.h>

/* Fields are private to console.c except the counts and `fault`, which may be read. */
struct xen_console {
    struct xencons_interface *ring;
    void (*notify)(uint32_t port);
    uint32_t port;
    uint32_t out_prod, in_cons; /* our own indices: what the page says of them is never read again */
    const char *fault;          /* why the console is silent; NULL while the backend behaves */
    uint64_t bad_indices;       /* of the backend; at most 1, since the ring is given up then */
    uint64_t notifications;
    uint64_t bytes_out, bytes_in;
    uint64_t bytes_refused; /* offered to put but not taken */
};

/* Takes over the ring in the page at `ring` as it stands. `notify` sends an event on `port`; any time, must not fail.
 * False, and `fault` says why, if the indices are impossible: the console is silent then. */
bool xen_console_begin(struct xen_console *c, struct xencons_interface *ring, uint32_t port,
                       void (*notify)(uint32_t port));

size_t xen_console_put(void *console, const char *bytes, size_t n);
size_t xen_console_get(void *console, char *bytes, size_t n);

/* Waits, with up to `spins` looks, until the backend has taken all that was put; false if it has not. */
bool xen_console_flush(struct xen_console *c, uint64_t spins);

/* The most that Xen prints in one go, so that nothing of its own comes between. */
#define XEN_CONSOLE_IO_BYTES 127u

/* The hardware domain's console. A write that Xen refuses makes it silent: a domain that may not write never may. What
 * the host types waits in 128 bytes of Xen's, and what does not fit is dropped without a word: one frame fits, so the
 * host must leave the guest time for a look before it sends the next. */
struct xen_io_console {
    long (*io)(unsigned command, unsigned bytes, char *buffer);
    const char *fault;    /* why the console is silent; NULL while it works */
    long error;           /* what Xen said then */
    uint64_t read_errors; /* reads that Xen refused, or answered with more than was asked for */
    uint64_t bytes_out, bytes_in, bytes_refused;
};

/* `io` is HYPERVISOR_console_io: the command is CONSOLEIO_write or CONSOLEIO_read, a negative result an error. */
void xen_io_console_begin(struct xen_io_console *c, long (*io)(unsigned command, unsigned bytes, char *buffer));
size_t xen_io_console_put(void *console, const char *bytes, size_t n);
size_t xen_io_console_get(void *console, char *bytes, size_t n);
