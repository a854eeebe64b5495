/* SPDX-License-Identifier: MIT
 * The console ring. Memory order against the backend, a process of another domain on another CPU; indices run freely
 * and are masked at use:
 *   bytes, then our out_prod (release); its out_prod (acquire), then the bytes   pairs: xen-console-out
 *   its reads, then its out_cons (release); our out_cons (acquire), then new bytes over the old
 *                                                                                pairs: xen-console-out-space
 *   its bytes, then its in_prod (release); our in_prod (acquire), then the bytes pairs: xen-console-in
 *   our reads, then our in_cons (release); its in_cons (acquire), then new bytes over the old
 *                                                                                pairs: xen-console-in-space
 * No full fence: nobody says that he sleeps, so there is no flag to look at behind a store. The event is sent each time
 * something was moved, after the index, and the hypercall orders both; an event that comes while the backend looks
 * makes it look again. */
#include "drivers/xen/console.h"

#include <arch/atomic.h>
#include <arch/cpu.h>
#include "drivers/xen/abi.h"
#include "sys/lib/string.h"

#define OUT_BYTES ((uint32_t)sizeof(((struct xencons_interface *)NULL)->out))
#define IN_BYTES ((uint32_t)sizeof(((struct xencons_interface *)NULL)->in))

_Static_assert(IN_BYTES == 1024 && OUT_BYTES == 2048, "ring sizes, powers of two");
_Static_assert(offsetof(struct xencons_interface, out_prod) == 3084, "ring layout");

static void console_break(struct xen_console *c, const char *why)
{
    c->bad_indices++;
    c->fault = why;
}

/* Bytes that the backend has not taken; breaks the console if there cannot be so many. */
static uint32_t out_queued(struct xen_console *c)
{
    uint32_t queued = c->out_prod - load_acquire(&c->ring->out_cons); /* pairs: xen-console-out-space */
    if (queued > OUT_BYTES)
        console_break(c, "the backend says that it took more than it was given");
    return queued;
}

/* Bytes that wait for us; breaks the console if there cannot be so many. */
static uint32_t in_queued(struct xen_console *c)
{
    uint32_t queued = load_acquire(&c->ring->in_prod) - c->in_cons; /* pairs: xen-console-in */
    if (queued > IN_BYTES)
        console_break(c, "the backend says that it gave more than the ring holds");
    return queued;
}

static void console_notify(struct xen_console *c)
{
    c->notifications++;
    c->notify(c->port);
}

bool xen_console_begin(struct xen_console *c, struct xencons_interface *ring, uint32_t port,
                       void (*notify)(uint32_t port))
{
    *c = (struct xen_console){.ring = ring, .notify = notify, .port = port};
    c->out_prod = load_relaxed(&ring->out_prod);
    c->in_cons = load_relaxed(&ring->in_cons);
    (void)out_queued(c);
    if (!c->fault)
        (void)in_queued(c);
    return !c->fault;
}

/* Copies into the ring, in two parts if it wraps. There is room for n. */
static void out_copy(struct xen_console *c, const char *bytes, size_t n)
{
    uint32_t at = MASK_XENCONS_IDX(c->out_prod, c->ring->out);
    size_t first = n < OUT_BYTES - at ? n : OUT_BYTES - at;
    memcpy(c->ring->out + at, bytes, first);
    memcpy(c->ring->out, bytes + first, n - first);
}

size_t xen_console_put(void *console, const char *bytes, size_t n)
{
    struct xen_console *c = console;
    uint32_t queued = c->fault ? OUT_BYTES : out_queued(c);
    size_t room = c->fault ? 0 : OUT_BYTES - queued, taken = n < room ? n : room;
    if (taken) {
        out_copy(c, bytes, taken);
        c->out_prod += (uint32_t)taken;
        store_release(&c->ring->out_prod, c->out_prod); /* pairs: xen-console-out */
        console_notify(c);
    }
    c->bytes_out += taken;
    c->bytes_refused += n - taken;
    return taken;
}

size_t xen_console_get(void *console, char *bytes, size_t n)
{
    struct xen_console *c = console;
    uint32_t queued = c->fault ? 0 : in_queued(c);
    size_t given = c->fault ? 0 : n < queued ? n : queued;
    if (!given)
        return 0;
    uint32_t at = MASK_XENCONS_IDX(c->in_cons, c->ring->in);
    size_t first = given < IN_BYTES - at ? given : IN_BYTES - at;
    memcpy(bytes, c->ring->in + at, first);
    memcpy(bytes + first, c->ring->in, given - first);
    c->in_cons += (uint32_t)given;
    store_release(&c->ring->in_cons, c->in_cons); /* pairs: xen-console-in-space */
    console_notify(c);                            /* a backend that found the ring full waits for it */
    c->bytes_in += given;
    return given;
}

bool xen_console_flush(struct xen_console *c, uint64_t spins)
{
    for (uint64_t i = 0; i < spins && !c->fault; i++) {
        if (out_queued(c) == 0)
            return true;
        cpu_pause();
    }
    return false;
}

void xen_io_console_begin(struct xen_io_console *c, long (*io)(unsigned command, unsigned bytes, char *buffer))
{
    *c = (struct xen_io_console){.io = io};
}

size_t xen_io_console_put(void *console, const char *bytes, size_t n)
{
    struct xen_io_console *c = console;
    char copy[XEN_CONSOLE_IO_BYTES]; /* the hypercall wants memory that it could write to */
    size_t done = 0;
    while (done < n && !c->fault) {
        size_t part = n - done < sizeof(copy) ? n - done : sizeof(copy);
        memcpy(copy, bytes + done, part);
        long result = c->io(CONSOLEIO_write, (unsigned)part, copy);
        if (result < 0) {
            c->fault = "Xen does not let this domain write to its console";
            c->error = result;
        } else {
            done += part;
        }
    }
    c->bytes_out += done;
    c->bytes_refused += n - done;
    return done;
}

size_t xen_io_console_get(void *console, char *bytes, size_t n)
{
    struct xen_io_console *c = console;
    unsigned most = n < INT32_MAX ? (unsigned)n : INT32_MAX;
    long result = c->fault || !most ? 0 : c->io(CONSOLEIO_read, most, bytes);
    if (result < 0 || (unsigned long)result > most) {
        c->read_errors++;
        return 0;
    }
    c->bytes_in += (uint64_t)result;
    return (size_t)result;
}
