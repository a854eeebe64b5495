/* SPDX-License-Identifier: MIT
 * The console device: start-up, the control queue's conversation about ports, and the table of ports. Owns the only
 * virtio device there is; boot CPU only, no lock. Order of the conversation, which devices depend on:
 *   control buffers posted -> DEVICE_READY -> PORT_ADD per port -> its queues on -> PORT_READY, PORT_OPEN from us
 *   -> PORT_NAME and PORT_OPEN from the host, in any order and at any time.
 * Ports are answered one per step with the control queue drained between: QEMU drops a message that finds no buffer. */
#include "drivers/virtio/console.h"

#include <arch/cpu.h>
#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ring.h>
#include <stddef.h>
#include "drivers/virtio/pci.h"
#include "drivers/virtio/port.h"
#include "drivers/virtio/virtio_internal.h"
#include "sys/lib/absent.h"
#include "sys/lib/log.h"
#include "sys/lib/string.h"

#define PORTS_MAX 8u
#define PORT_IDS_MAX 32766u /* larger ones have no queue number */
#define CONTROL_QUEUE 2u
#define CONTROL_RX_SLOTS 32u
#define CONTROL_RX_BYTES 256u
#define CONTROL_TX_SLOTS 32u /* both answers for every port, and DEVICE_READY */
#define CONTROL_TX_BYTES 16u

/* Quiet looks after which the ports are taken as complete once all have answered, and the longest wait, in ticks of the
 * TSC, while some have not. A device that works inside the kick needs none; a host thread needs some 100 us, or tens of
 * milliseconds on a busy machine. A port announced after page_seal gets no queues, hence the long wait. */
#define SETTLE_LOOKS 256u
#define SETTLE_TICKS_UNANSWERED (UINT64_C(1) << 26)
#define SETTLE_STEPS_MAX 256u

#define FEATURES_WANTED                                                                                                \
    (VIRTIO_FEATURE(VIRTIO_F_VERSION_1) | VIRTIO_FEATURE(VIRTIO_RING_F_EVENT_IDX) |                                    \
     VIRTIO_FEATURE(VIRTIO_CONSOLE_F_MULTIPORT) | VIRTIO_FEATURE(VIRTIO_CONSOLE_F_EMERG_WRITE))

static const char log_port_name[] = "org.tern.log";

static struct {
    struct virtio_transport transport;
    uint64_t features; /* negotiated */
    uint32_t port_ids; /* ports the device can have; legal ids are below this */
    bool live;
    bool unanswered; /* some port may still wait for our answer */
    bool fault_logged;
    struct virtio_ring control_rx;
    struct virtio_ring control_tx;
    struct virtio_port ports[PORTS_MAX];
    uint64_t control_received;
    uint64_t control_refused;
    uint64_t ports_ignored;
} console;

static bool avoids_pci; /* [I] */

void virtio_console_avoid_pci(void)
{
    avoids_pci = true;
}

static bool has_feature(unsigned bit)
{
    return console.features >> bit & 1;
}

static void name_set(struct virtio_port *port, const char *name, size_t n)
{
    port->name_bytes = (uint8_t)n;
    memcpy(port->name, name, n);
}

static struct virtio_port *port_find(uint32_t id)
{
    for (unsigned n = 0; n < PORTS_MAX; n++)
        if (console.ports[n].known && console.ports[n].id == id)
            return &console.ports[n];
    return NULL;
}

static struct virtio_port *port_claim(uint32_t id)
{
    for (unsigned n = 0; n < PORTS_MAX; n++) {
        if (console.ports[n].known)
            continue;
        console.ports[n] = (struct virtio_port){.id = id, .known = true};
        return &console.ports[n];
    }
    return NULL;
}

/* False if the announcement makes no sense. */
static bool port_add(uint32_t id)
{
    struct virtio_port *port = port_find(id);
    if (id >= console.port_ids || (port && port->present))
        return false;
    if (!port)
        port = port_claim(id);
    if (!port || port->unusable) {
        console.ports_ignored++;
        return true;
    }
    port->present = true;
    port->ready_sent = port->open_sent = port->host_open = false;
    port->name_bytes = 0;
    console.unanswered = true;
    return true;
}

/* Names are for look-up and for the log, so only printable ASCII will do. QEMU ends them with a NUL, others do not. */
static bool port_rename(struct virtio_port *port, const char *name, size_t n)
{
    if (n && name[n - 1] == '\0')
        n--;
    if (n > VIRTIO_PORT_NAME_MAX)
        return false;
    /* Copied first: the device can still change the original. */
    char copy[VIRTIO_PORT_NAME_MAX];
    memcpy(copy, name, n);
    for (size_t i = 0; i < n; i++)
        if (copy[i] <= ' ' || copy[i] > '~')
            return false;
    name_set(port, copy, n);
    return true;
}

/* One message; false if it is refused. */
static bool control_take(const char *message, size_t n)
{
    struct virtio_console_control head;
    if (n < sizeof head)
        return false;
    memcpy(&head, message, sizeof head);
    if (head.event == VIRTIO_CONSOLE_PORT_ADD)
        return port_add(head.id);

    struct virtio_port *port = port_find(head.id);
    if (!port || !port->present)
        return false;
    switch (head.event) {
    case VIRTIO_CONSOLE_PORT_REMOVE:
        port->present = port->host_open = false;
        return true;
    case VIRTIO_CONSOLE_PORT_OPEN:
        port->host_open = head.value != 0;
        return true;
    case VIRTIO_CONSOLE_PORT_NAME:
        return port_rename(port, message + sizeof head, n - sizeof head);
    case VIRTIO_CONSOLE_CONSOLE_PORT:
    case VIRTIO_CONSOLE_RESIZE:
        return true;
    default:
        return false;
    }
}

/* Works off what the device said; each buffer goes back before anything is answered. True if there was news. */
static bool control_drain(void)
{
    uint16_t slot;
    uint32_t bytes;
    unsigned n;
    for (n = 0; n < CONTROL_RX_SLOTS && virtio_ring_reap(&console.control_rx, &slot, &bytes); n++) {
        console.control_received++;
        if (!control_take(virtio_ring_slot(&console.control_rx, slot), bytes))
            console.control_refused++;
        virtio_ring_put(&console.control_rx, slot, CONTROL_RX_BYTES);
    }
    virtio_ring_kick(&console.control_rx);
    return n != 0;
}

/* False if all transmit slots are with the device: try again later. */
static bool control_send(uint32_t id, uint16_t event)
{
    struct virtio_console_control message = {.id = id, .event = event, .value = 1};
    uint16_t slot;
    uint32_t bytes;
    for (unsigned n = 0; n < CONTROL_TX_SLOTS && virtio_ring_reap(&console.control_tx, &slot, &bytes); n++)
        virtio_ring_release(&console.control_tx, slot);
    if (!virtio_ring_take(&console.control_tx, &slot))
        return false;
    memcpy(virtio_ring_slot(&console.control_tx, slot), &message, sizeof message);
    virtio_ring_put(&console.control_tx, slot, sizeof message);
    virtio_ring_kick(&console.control_tx);
    return true;
}

/* Queues for an announced port, unless it has them from an earlier life. */
static bool port_prepare(struct virtio_port *port)
{
    if (port->rings_live)
        return true;
    enum status s = virtio_port_open(port, &console.transport, has_feature(VIRTIO_RING_F_EVENT_IDX));
    if (s != STATUS_OK) {
        port->unusable = true;
        port->present = false;
        console.ports_ignored++;
        log_warn("virtio-console: port %u has no usable queues (status %d)", port->id, s);
        return false;
    }
    virtio_ring_kick(&port->rx);
    return true;
}

/* Answers the first port that still waits for it. True if that got anywhere; the rest is left to the next step. */
static bool port_answer_next(void)
{
    for (unsigned n = 0; n < PORTS_MAX; n++) {
        struct virtio_port *port = &console.ports[n];
        if (!port->present || port->open_sent)
            continue;
        if (!port_prepare(port))
            return true;
        bool was_ready = port->ready_sent;
        port->ready_sent = was_ready || control_send(port->id, VIRTIO_CONSOLE_PORT_READY);
        port->open_sent = port->ready_sent && control_send(port->id, VIRTIO_CONSOLE_PORT_OPEN);
        return port->open_sent || port->ready_sent != was_ready;
    }
    console.unanswered = false;
    return false;
}

/* Drains the control queue and answers at most one port. True if anything happened. */
static bool console_step(void)
{
    bool news = control_drain();
    bool answered = console.unanswered && port_answer_next();
    return news || answered;
}

/* Whether the host announced a port, and named or opened each one that it announced. */
static bool ports_settled(void)
{
    unsigned present = 0;
    for (unsigned n = 0; n < PORTS_MAX; n++) {
        const struct virtio_port *port = &console.ports[n];
        if (port->present && !port->name_bytes && !port->host_open)
            return false;
        present += port->present;
    }
    return present != 0;
}

/* Waits for a control message; false if none came. */
static bool control_wait(bool settled, uint64_t limit_tsc)
{
    for (unsigned n = 0; !virtio_ring_pending(&console.control_rx); n++) {
        if (settled ? n >= SETTLE_LOOKS : cpu_rdtsc() >= limit_tsc)
            return false;
        cpu_pause();
    }
    return true;
}

/* The host does not say when its list of ports is complete, so this ends when it has been quiet long enough. */
static void console_settle(void)
{
    uint64_t limit_tsc = cpu_rdtsc() + SETTLE_TICKS_UNANSWERED;
    for (unsigned n = 0; n < SETTLE_STEPS_MAX && !console.transport.fault; n++)
        if (!console_step() && !control_wait(ports_settled(), limit_tsc))
            return;
}

static void fault_log(void)
{
    if (!console.transport.fault || console.fault_logged)
        return;
    console.fault_logged = true;
    log_warn("virtio-console: device given up: %s", console.transport.fault);
}

/* The two control queues, with every receive buffer posted. */
static enum status control_open(void)
{
    struct virtio_ring_shape shape = {
        .queue = CONTROL_QUEUE,
        .slots = CONTROL_RX_SLOTS,
        .slot_bytes = CONTROL_RX_BYTES,
        .device_writes = true,
        .event_idx = has_feature(VIRTIO_RING_F_EVENT_IDX),
    };
    uint16_t slot;
    enum status s = virtio_config_read32(&console.transport, offsetof(struct virtio_console_config, max_nr_ports),
                                         &console.port_ids);
    if (s == STATUS_OK)
        s = virtio_ring_create(&console.control_rx, &console.transport, &shape);
    if (s != STATUS_OK)
        return s;
    if (console.port_ids > PORT_IDS_MAX)
        console.port_ids = PORT_IDS_MAX;
    while (virtio_ring_take(&console.control_rx, &slot))
        virtio_ring_put(&console.control_rx, slot, CONTROL_RX_BYTES);
    shape = (struct virtio_ring_shape){
        .queue = CONTROL_QUEUE + 1,
        .slots = CONTROL_TX_SLOTS,
        .slot_bytes = CONTROL_TX_BYTES,
        .event_idx = shape.event_idx,
    };
    return virtio_ring_create(&console.control_tx, &console.transport, &shape);
}

/* The one port of a device without control queues: open from the start. */
static enum status single_open(void)
{
    struct virtio_port *port = &console.ports[0];
    *port = (struct virtio_port){.known = true, .present = true, .host_open = true};
    port->ready_sent = port->open_sent = true; /* nobody waits for an answer */
    name_set(port, log_port_name, sizeof log_port_name - 1);
    return virtio_port_open(port, &console.transport, has_feature(VIRTIO_RING_F_EVENT_IDX));
}

static enum status device_find(const char *mmio_hints)
{
    bool has_pci = !avoids_pci && pci_present();
    enum status pci = avoids_pci ? STATUS_NOT_FOUND : virtio_pci_probe(&console.transport);
    if (pci == STATUS_OK)
        return pci;
    if (!has_pci)
        absent_note("PCI");
    /* Where there is PCI the window may be some device's BAR, which must not be read blindly. */
    enum status mmio = virtio_mmio_probe(&console.transport, mmio_hints, !has_pci && !avoids_pci);
    return mmio == STATUS_NOT_FOUND ? pci : mmio;
}

/* From a found device to one that is live. */
static enum status device_open(void)
{
    enum status s = virtio_device_start(&console.transport, FEATURES_WANTED, &console.features);
    if (s == STATUS_OK)
        s = has_feature(VIRTIO_CONSOLE_F_MULTIPORT) ? control_open() : single_open();
    if (s != STATUS_OK) {
        virtio_device_break(&console.transport, "features or queues could not be agreed on");
        return s;
    }
    virtio_device_go(&console.transport);
    console.live = true;
    return STATUS_OK;
}

enum status virtio_console_init(const char *mmio_hints)
{
    enum status s = device_find(mmio_hints);
    if (s != STATUS_OK)
        return s;
    s = device_open();
    if (s == STATUS_OK && has_feature(VIRTIO_CONSOLE_F_MULTIPORT)) {
        virtio_ring_kick(&console.control_rx);
        control_send(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY);
        console_settle();
    } else if (s == STATUS_OK) {
        virtio_ring_kick(&console.ports[0].rx);
    }
    if (virtio_device_needs_reset(&console.transport))
        virtio_device_break(&console.transport, "the device asks for a reset");
    fault_log();
    return s != STATUS_OK || !console.transport.fault ? s : STATUS_DATA_LOSS;
}

void virtio_console_poll(void)
{
    if (!console.live)
        return;
    if (has_feature(VIRTIO_CONSOLE_F_MULTIPORT))
        console_step();
    for (unsigned n = 0; n < PORTS_MAX; n++)
        if (console.ports[n].rings_live)
            virtio_port_reclaim(&console.ports[n]);
    fault_log();
}

static struct virtio_port *port_named(const char *name)
{
    size_t n = strlen(name);
    for (unsigned i = 0; console.live && i < PORTS_MAX; i++) {
        struct virtio_port *port = &console.ports[i];
        if (port->open_sent && port->name_bytes == n && memcmp(port->name, name, n) == 0)
            return port;
    }
    return NULL;
}

struct virtio_port *virtio_console_port(const char *name)
{
    struct virtio_port *port = port_named(name);
    return port && port->host_open ? port : NULL;
}

bool virtio_console_has_port(const char *name)
{
    const struct virtio_port *port = port_named(name);
    return port && port->present;
}

void virtio_console_emergency(const char *bytes, size_t n)
{
    if (!has_feature(VIRTIO_CONSOLE_F_EMERG_WRITE))
        return;
    for (size_t i = 0; i < n; i++)
        if (virtio_config_write32(&console.transport, offsetof(struct virtio_console_config, emerg_wr),
                                  (unsigned char)bytes[i]) != STATUS_OK)
            return;
}

static void ring_count(struct virtio_console_stats *out, const struct virtio_ring *ring)
{
    out->kicks += ring->kicks;
    out->kicks_suppressed += ring->kicks_suppressed;
}

void virtio_console_stats_read(struct virtio_console_stats *out)
{
    *out = (struct virtio_console_stats){
        .control_received = console.control_received,
        .control_refused = console.control_refused,
        .ports_ignored = console.ports_ignored,
        .broken = console.transport.fault != NULL,
    };
    ring_count(out, &console.control_rx);
    ring_count(out, &console.control_tx);
    for (unsigned n = 0; n < PORTS_MAX; n++) {
        const struct virtio_port *port = &console.ports[n];
        ring_count(out, &port->rx);
        ring_count(out, &port->tx);
        out->bytes_sent += port->bytes_sent;
        out->bytes_received += port->bytes_received;
        out->bytes_refused += port->bytes_refused;
    }
}
