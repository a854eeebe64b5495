/* SPDX-License-Identifier: MIT
 * A virtio-console device for host tests: the device's side of queues and conversation (fake_device.c) and the two
 * buses it can be plugged into (fake_bus.c). It works inside the notification, like QEMU without ioeventfd, unless
 * `asleep`. It is strict: a driver that breaks the rules fails the test. Knobs make it lie. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_RAM UINT64_C(0xfea00000) /* page_alloc gives out from here up to the slots */
#define FAKE_SLOTS UINT64_C(0xfeb00000)
#define FAKE_BAR UINT64_C(0xfec00000)
#define FAKE_BAR_BYTES 0x4000u
#define FAKE_PORTS 12u
#define FAKE_QUEUES (4 + 2 * FAKE_PORTS)

struct fake_queue {
    uint64_t descriptors, available, used;
    uint16_t size;
    bool enabled;
    uint16_t seen; /* available entries taken */
    uint16_t done; /* used entries given back */
};

struct fake_port {
    bool exists;
    const char *name; /* NULL: nameless */
    bool name_has_nul;
    bool host_open;
    bool guest_ready, guest_open; /* as the guest said */
    char text[40000];
    size_t bytes;
    size_t discarded; /* bytes that came while an end was closed */
};

struct fake_device {
    /* knobs, set before the driver starts */
    uint64_t offered; /* features */
    bool insists_on_platform;
    bool rejects_features;
    bool never_resets;
    bool asleep;    /* notifications are only counted; fake_work works */
    bool holds;     /* transmit buffers of ports are taken but not given back */
    uint32_t queue_limit;
    uint32_t control_limit;
    uint32_t ports_max;
    struct fake_port ports[FAKE_PORTS];
    /* state */
    uint8_t status;
    uint64_t accepted;
    uint32_t feature_word;
    uint16_t queue_selected;
    struct fake_queue queues[FAKE_QUEUES];
    unsigned notifications;
    unsigned dropped; /* control messages for which the guest had no buffer */
    char emergency[64];
    size_t emergency_bytes;
};

extern struct fake_device fake;

/* Where the device is plugged in. */
struct fake_bus {
    bool mmio;
    uint32_t mmio_version;
    uint64_t mmio_place;
    bool pci; /* a host bridge answers */
    bool pci_device;
    uint8_t pci_bus; /* of the device; 1 is behind a bridge */
    uint8_t config[256];
    uint64_t bar_mask;
    unsigned window_reads; /* reads in the slot window */
    unsigned pci_writes;   /* writes to the ports of configuration space */
};

extern struct fake_bus fake_bus;

void fake_init(void); /* a good device with the three ports, plugged in nowhere */
void fake_plug_mmio(unsigned slot);
void fake_plug_pci(void);

/* Device side, called by the bus. */
void fake_status_write(uint8_t status);
void fake_queue_enable(void);
void fake_notify(uint16_t queue);
uint32_t fake_queue_limit(void);
uint32_t fake_config_read(uint32_t offset);
void fake_config_write(uint32_t offset, uint32_t value);

/* What the host does. */
void fake_work(void); /* works off every queue */
void fake_control(uint32_t id, uint16_t event, uint16_t value, const void *more, size_t n);
void fake_port_open(uint32_t id, bool open);
size_t fake_send(uint32_t id, const void *bytes, size_t n); /* bytes to the guest; how many found room */
void fake_used_push(uint16_t queue, uint32_t id, uint32_t bytes); /* any lie */
void fake_used_index(uint16_t queue, uint16_t index);
