/* SPDX-License-Identifier: MIT
 * virtio-console: named byte streams to and from the host (org.tern.log, .hist, .control). One device, polled, no
 * interrupts. All functions: boot CPU, interrupts off, never block; only virtio_console_init and _poll write to the
 * log, so a log sink may call the others. A device that misbehaves is marked FAILED and its ports fall silent; a port
 * pointer stays valid for ever. Deliberately absent: terminal size, hot-unplug of the device. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/abi/status.h"

struct virtio_port;

struct virtio_console_stats {
    uint64_t kicks;            /* notifications sent: each one is a VM exit */
    uint64_t kicks_suppressed; /* notifications the device did not want */
    uint64_t bytes_sent;       /* taken by virtio_port_write */
    uint64_t bytes_received;   /* handed out by virtio_port_read */
    uint64_t bytes_refused;    /* offered to virtio_port_write but not taken */
    uint64_t control_received; /* control messages, refused ones included */
    uint64_t control_refused;  /* malformed, for an unknown port, or out of turn */
    uint64_t ports_ignored;    /* announced, but past the table or without queues or memory */
    bool broken;               /* the device was marked FAILED */
};

/* Looks for the device on PCI, then on virtio-mmio, starts it and waits, bounded, until its ports are known.
 * `mmio_hints` may be NULL; words like 512@0xfeb00e00:12, with or without virtio_mmio.device= before them, name places
 * to look at and other words are skipped, so the whole command line will do. Before page_seal. NOT_FOUND: no device,
 * which is no error. UNIMPLEMENTED: only a legacy one. Others: the device was refused. */
enum status virtio_console_init(const char *mmio_hints);

/* Before virtio_console_init: the monitor says that there is no PCI. Its ports are left alone then, and so is the
 * window in which QEMU's microvm has its devices: only places that the hints name are looked at. */
void virtio_console_avoid_pci(void);

/* Control messages, ports that come and go, transmit slots that came back. Bounded; call it now and then. */
void virtio_console_poll(void);

/* The port of that name, or NULL while the host has not announced and opened it. A device without MULTIPORT has one
 * port, which stands for "org.tern.log". */
struct virtio_port *virtio_console_port(const char *name);

/* The host has announced a port of that name, and it can be used once the host opens it. */
bool virtio_console_has_port(const char *name);

/* Copies bytes into the port's slots and gives them to the device. Returns how many were taken, the first ones: fewer
 * than n when all slots are with the device, 0 while the host has the port closed. */
size_t virtio_port_write(struct virtio_port *port, const void *bytes, size_t n);

/* Takes up to n bytes that the host sent. */
size_t virtio_port_read(struct virtio_port *port, void *buf, size_t n);

/* Waits until the device has consumed all that was written; false if it has not after `spins` looks. */
bool virtio_port_flush(struct virtio_port *port, uint64_t spins);

/* Panic output, a VM exit per byte, straight to a register; works without queues, after a fault too. QEMU shows it on
 * the virtconsole that is port 0. Nothing happens if the device lacks EMERG_WRITE. Any context. */
void virtio_console_emergency(const char *bytes, size_t n);

void virtio_console_stats_read(struct virtio_console_stats *out);
