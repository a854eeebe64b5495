/* SPDX-License-Identifier: MIT
 * One port of the console: two rings and what is known of the other end. Owned by console.c's table; private to this
 * folder. States: present (announced) -> answered (rings live, PORT_READY and PORT_OPEN sent) -> host_open.
 * Bytes may be written only in the last, or the device drops them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "drivers/virtio/ring.h"

#define VIRTIO_PORT_NAME_MAX 63u
#define VIRTIO_PORT_TX_SLOTS 64u
#define VIRTIO_PORT_RX_SLOTS 8u
#define VIRTIO_PORT_SLOT_BYTES 512u

struct virtio_port {
    uint32_t id;
    bool known; /* this entry belongs to `id` for ever: a queue, once on, cannot be taken back */
    bool present;
    bool rings_live;
    bool unusable; /* its queues could not be made */
    bool ready_sent;
    bool open_sent;
    bool host_open;
    uint8_t name_bytes;
    char name[VIRTIO_PORT_NAME_MAX];
    struct virtio_ring rx;
    struct virtio_ring tx;
    uint32_t read_offset; /* of the received slot in hand, read_slot, of which read_left bytes remain */
    uint32_t read_left;
    uint16_t read_slot;
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint64_t bytes_refused;
};

/* Makes both rings and fills the receive ring, without a kick. The status of virtio_ring_create. */
enum status virtio_port_open(struct virtio_port *port, struct virtio_transport *t, bool event_idx);

/* Takes back the slots the device is done with. */
void virtio_port_reclaim(struct virtio_port *port);
