/* SPDX-License-Identifier: MIT
 * The pages that Xen's toolstack shares with a guest, found by HVM parameters. dom0 has neither: its console is a
 * hypercall. */
#include "sys/toolstack.h"

#include "drivers/xen/abi.h"
#include "drivers/xen/console.h"
#include "drivers/xen/domain.h"
#include "drivers/xen/early.h"
#include "drivers/xen/event.h"
#include "drivers/xen/store.h"
#include "drivers/xen/xen.h"
#include "sys/control.h"
#include "sys/lib/log.h"
#include "sys/shutdown.h"
#include "sys/stream.h"

#include <arch/memory.h>
#include <arch/xen_hypercall.h>
#include <stdbool.h>

#define STORE_SPINS 20000000

static struct xen_console ring;
static struct xen_io_console io;
static uint64_t grace_ns; /* [I] */
static bool listening;

static long console_io(unsigned command, unsigned bytes, char *buffer)
{
    return xen_hypercall(__HYPERVISOR_console_io, command, bytes, buffer);
}

static bool ring_flush(uint64_t spins)
{
    return xen_console_flush(&ring, spins);
}

/* The backend is a process of another domain, which may wait for this CPU. */
static void yield(void)
{
    (void)xen_hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
}

static const struct stream_console ring_carrier = {.name = "Xen's console ring",
                                                   .wire = {xen_console_put, xen_console_get, &ring},
                                                   .flush = ring_flush,
                                                   .relax = yield,
                                                   .announces = true};
static struct stream_console io_carrier = {.name = "Xen's console",
                                           .wire = {xen_io_console_put, xen_io_console_get, &io}};

/* A page and an event channel that two parameters name; NULL: there is none. The channel's events come to this CPU. */
static void *channel_map(uint32_t page_param, uint32_t port_param, uint32_t *port)
{
    uint64_t frame, number;
    if (!xen_param_get(page_param, &frame) || !frame || !xen_param_get(port_param, &number) || number > UINT32_MAX)
        return NULL;
    *port = (uint32_t)number;
    if (xen_event_adopt(*port) != STATUS_OK)
        return NULL;
    return shared_map(frame * PAGE_SIZE, PAGE_SIZE);
}

static bool ring_begin(void)
{
    uint32_t port;
    struct xencons_interface *page = channel_map(HVM_PARAM_CONSOLE_PFN, HVM_PARAM_CONSOLE_EVTCHN, &port);
    if (!page)
        return false;
    if (xen_console_begin(&ring, page, port, xen_event_send))
        return true;
    log_warn("Xen console refused: %s", ring.fault);
    return false;
}

/* Input for dom0 is announced by a virtual interrupt. */
static bool io_begin(void)
{
    uint32_t port;
    xen_io_console_begin(&io, console_io);
    io_carrier.announces = xen_event_bind_virq(VIRQ_CONSOLE, XEN_EVENT_DEVICE, &port) == STATUS_OK;
    return true;
}

void toolstack_init(void)
{
    const struct xen_domain *d = xen_domain_get();
    if (!d->present || !(d->initial ? io_begin() : ring_begin()))
        return;
    stream_use_console(d->initial ? &io_carrier : &ring_carrier);
    xen_early_end();
}

static void requested(enum xen_shutdown_request r)
{
    static const char *const names[] = {
        [XEN_SHUTDOWN_POWEROFF] = "poweroff", [XEN_SHUTDOWN_REBOOT] = "reboot", [XEN_SHUTDOWN_HALT] = "halt"};
    if (r > XEN_SHUTDOWN_HALT) /* the store's driver has said so */
        return;
    log_info("toolstack: %s in %lu ms", names[r], grace_ns / 1000000);
    xen_set_reboot(r == XEN_SHUTDOWN_REBOOT);
    shutdown_soon(grace_ns);
}

void toolstack_listen(uint64_t grace)
{
    char name[64] = "", id[16] = "";
    uint32_t port;
    if (!xen_domain_get()->present || xen_domain_get()->initial)
        return;
    grace_ns = grace;
    struct xenstore_domain_interface *page = channel_map(HVM_PARAM_STORE_PFN, HVM_PARAM_STORE_EVTCHN, &port);
    enum status s = page ? xen_store_init(page, port, xen_event_send) : STATUS_NOT_FOUND;
    if (s == STATUS_OK)
        s = xen_store_read("name", name, sizeof(name), STORE_SPINS);
    if (s == STATUS_OK)
        s = xen_store_read("domid", id, sizeof(id), STORE_SPINS);
    if (s == STATUS_OK)
        s = xen_store_watch_shutdown(requested, STORE_SPINS);
    if (s != STATUS_OK) {
        log_warn("xenstore: status %d; xl shutdown is not heard", (int)s);
        return;
    }
    log_info("xenstore: this is '%s', domain %s", name, id);
    listening = true;
    xen_store_poll();
}

void toolstack_interrupt(void)
{
    if (listening)
        xen_store_poll();
    control_look();
}
