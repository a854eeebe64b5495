/* SPDX-License-Identifier: MIT
 * Bytes through one port. The transmit path is used by log and histogram export and is kept short: fill slots, one kick
 * per full ring or per call. Each loop is bounded by the ring or by what the caller gave. */
#include "drivers/virtio/port.h"

#include <arch/cpu.h>
#include "drivers/virtio/console.h"
#include "sys/lib/string.h"

static uint16_t queue_receive(uint32_t id)
{
    return (uint16_t)(id == 0 ? 0 : 2 + 2 * id);
}

static void receive_fill(struct virtio_port *port)
{
    uint16_t slot;
    while (virtio_ring_take(&port->rx, &slot))
        virtio_ring_put(&port->rx, slot, VIRTIO_PORT_SLOT_BYTES);
}

enum status virtio_port_open(struct virtio_port *port, struct virtio_transport *t, bool event_idx)
{
    struct virtio_ring_shape shape = {
        .queue = queue_receive(port->id),
        .slots = VIRTIO_PORT_RX_SLOTS,
        .slot_bytes = VIRTIO_PORT_SLOT_BYTES,
        .device_writes = true,
        .event_idx = event_idx,
    };
    enum status s = virtio_ring_create(&port->rx, t, &shape);
    if (s != STATUS_OK)
        return s;
    shape.queue++;
    shape.slots = VIRTIO_PORT_TX_SLOTS;
    shape.device_writes = false;
    s = virtio_ring_create(&port->tx, t, &shape);
    if (s != STATUS_OK)
        return s;
    receive_fill(port);
    port->rings_live = true;
    return STATUS_OK;
}

void virtio_port_reclaim(struct virtio_port *port)
{
    uint16_t slot;
    uint32_t bytes;
    for (unsigned n = 0; n < VIRTIO_PORT_TX_SLOTS && virtio_ring_reap(&port->tx, &slot, &bytes); n++)
        virtio_ring_release(&port->tx, slot);
}

/* Fills free slots and gives them to the device; returns the bytes they took. */
static size_t slots_fill(struct virtio_port *port, const char *bytes, size_t n)
{
    size_t done = 0;
    uint16_t slot;
    while (done < n && virtio_ring_take(&port->tx, &slot)) {
        size_t part = n - done < VIRTIO_PORT_SLOT_BYTES ? n - done : VIRTIO_PORT_SLOT_BYTES;
        memcpy(virtio_ring_slot(&port->tx, slot), bytes + done, part);
        virtio_ring_put(&port->tx, slot, (uint32_t)part);
        done += part;
    }
    virtio_ring_kick(&port->tx);
    return done;
}

size_t virtio_port_write(struct virtio_port *port, const void *bytes, size_t n)
{
    size_t done = 0;
    if (port->host_open && port->open_sent && !port->tx.transport->fault) {
        /* A device that works inside the kick has given the slots back already; go on as long as that is so. */
        for (size_t part = 1; part && done < n; done += part) {
            virtio_port_reclaim(port);
            part = slots_fill(port, (const char *)bytes + done, n - done);
        }
    }
    port->bytes_sent += done;
    port->bytes_refused += n - done;
    return done;
}

/* Takes the next received slot in hand, which may be an empty one; false if there is none. */
static bool receive_next(struct virtio_port *port)
{
    port->read_offset = 0;
    return virtio_ring_reap(&port->rx, &port->read_slot, &port->read_left);
}

size_t virtio_port_read(struct virtio_port *port, void *buf, size_t n)
{
    size_t done = 0;
    if (!port->rings_live)
        return 0;
    /* Ends even if every slot is empty: those put back are not the device's again before the kick. */
    while (done < n && (port->read_left || receive_next(port))) {
        size_t part = n - done < port->read_left ? n - done : port->read_left;
        const char *slot = virtio_ring_slot(&port->rx, port->read_slot);
        memcpy((char *)buf + done, slot + port->read_offset, part);
        done += part;
        port->read_offset += (uint32_t)part;
        port->read_left -= (uint32_t)part;
        if (!port->read_left)
            virtio_ring_put(&port->rx, port->read_slot, VIRTIO_PORT_SLOT_BYTES);
    }
    virtio_ring_kick(&port->rx);
    port->bytes_received += done;
    return done;
}

bool virtio_port_flush(struct virtio_port *port, uint64_t spins)
{
    if (!port->rings_live)
        return true;
    for (uint64_t n = 0; n < spins && !port->tx.transport->fault; n++) {
        virtio_port_reclaim(port);
        if (virtio_ring_idle(&port->tx))
            return true;
        cpu_pause();
    }
    if (!port->tx.transport->fault && virtio_device_needs_reset(port->tx.transport))
        virtio_device_break(port->tx.transport, "the device asks for a reset");
    return false;
}
