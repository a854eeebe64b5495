/* SPDX-License-Identifier: MIT
 * The device's side of split rings and of the console conversation, modelled on what QEMU does. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "tests/unit/drivers/virtio/fake_device.h"

#include <arch/atomic.h>
#include <arch/memory.h>
#include <criterion/criterion.h>
#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ring.h>
#include <string.h>

struct fake_device fake;

void fake_init(void)
{
    fake = (struct fake_device){
        .offered = UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX |
                   UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC | 1u << VIRTIO_CONSOLE_F_SIZE |
                   1u << VIRTIO_CONSOLE_F_MULTIPORT | 1u << VIRTIO_CONSOLE_F_EMERG_WRITE,
        .queue_limit = 128,
        .control_limit = 32,
        .ports_max = FAKE_PORTS,
        .ports = {
            [0] = { .exists = true, .name = "org.tern.log", .name_has_nul = true, .host_open = true },
            [1] = { .exists = true, .name = "org.tern.hist", .name_has_nul = false, .host_open = true },
            [3] = { .exists = true, .name = "org.tern.control", .name_has_nul = true, .host_open = false },
        },
    };
}

static struct vring_avail *available(const struct fake_queue *q)
{
    return phys_to_virt(q->available);
}

static struct vring_used *used(const struct fake_queue *q)
{
    return phys_to_virt(q->used);
}

static bool status_has(uint8_t bit)
{
    return fake.status & bit;
}

static uint16_t queue_of(uint32_t port)
{
    return (uint16_t)(port == 0 ? 0 : 2 + 2 * port);
}

static bool event_idx(void)
{
    return fake.accepted >> VIRTIO_RING_F_EVENT_IDX & 1;
}

/* Takes the next available descriptor; false if there is none. */
static bool queue_pop(struct fake_queue *q, uint16_t *head)
{
    uint16_t index = load_acquire(&available(q)->idx); /* pairs: virtio-avail */
    if (!q->enabled || index == q->seen)
        return false;
    cr_assert((uint16_t)(index - q->seen) <= q->size, "more available than the queue holds");
    *head = available(q)->ring[q->seen++ % q->size];
    cr_assert(*head < q->size);
    if (event_idx()) {
        memcpy(&used(q)->ring[q->size], &q->seen, sizeof q->seen);
        fence_full(); /* pairs: virtio-kick */
    }
    return true;
}

static void *buffer(const struct fake_queue *q, uint16_t head, bool writable, uint32_t *bytes)
{
    const struct vring_desc *d = (const struct vring_desc *)phys_to_virt(q->descriptors) + head;
    cr_assert(d->flags == (writable ? VRING_DESC_F_WRITE : 0), "wrong descriptor flags %u", d->flags);
    cr_assert(d->len != 0);
    cr_assert((uint8_t *)phys_to_virt(d->addr + d->len) != NULL);
    *bytes = d->len;
    return phys_to_virt(d->addr);
}

void fake_used_push(uint16_t queue, uint32_t id, uint32_t bytes)
{
    struct fake_queue *q = &fake.queues[queue];
    used(q)->ring[q->done % q->size] = (struct vring_used_elem){ .id = id, .len = bytes };
    store_release(&used(q)->idx, ++q->done); /* pairs: virtio-used */
    if (event_idx())
        cr_assert(!vring_need_event(available(q)->ring[q->size], q->done, (uint16_t)(q->done - 1)), "interrupt wanted");
    else
        cr_assert(available(q)->flags == VRING_AVAIL_F_NO_INTERRUPT, "interrupt wanted");
}

void fake_used_index(uint16_t queue, uint16_t index)
{
    store_release(&used(&fake.queues[queue])->idx, index); /* pairs: virtio-used */
}

void fake_control(uint32_t id, uint16_t event, uint16_t value, const void *more, size_t n)
{
    struct virtio_console_control head = { .id = id, .event = event, .value = value };
    uint16_t slot;
    uint32_t room;
    if (!queue_pop(&fake.queues[2], &slot)) {
        fake.dropped++;
        return;
    }
    char *to = buffer(&fake.queues[2], slot, true, &room);
    cr_assert(sizeof head + n <= room);
    memcpy(to, &head, sizeof head);
    if (n)
        memcpy(to + sizeof head, more, n);
    fake_used_push(2, slot, (uint32_t)(sizeof head + n));
}

void fake_port_open(uint32_t id, bool open)
{
    fake.ports[id].host_open = open;
    fake_control(id, VIRTIO_CONSOLE_PORT_OPEN, open, NULL, 0);
}

static void port_tell(uint32_t id)
{
    struct fake_port *port = &fake.ports[id];
    cr_assert(fake.queues[queue_of(id)].enabled && fake.queues[queue_of(id) + 1].enabled, "ready without queues");
    port->guest_ready = true;
    if (id == 0)
        fake_control(id, VIRTIO_CONSOLE_CONSOLE_PORT, 1, NULL, 0);
    if (port->name)
        fake_control(id, VIRTIO_CONSOLE_PORT_NAME, 1, port->name, strlen(port->name) + port->name_has_nul);
    if (port->host_open)
        fake_control(id, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL, 0);
}

static void control_receive(const struct virtio_console_control *message)
{
    if (message->event == VIRTIO_CONSOLE_DEVICE_READY) {
        for (uint32_t id = 0; id < FAKE_PORTS; id++)
            if (fake.ports[id].exists)
                fake_control(id, VIRTIO_CONSOLE_PORT_ADD, 1, NULL, 0);
        return;
    }
    cr_assert(message->id < FAKE_PORTS && fake.ports[message->id].exists, "message for no port");
    if (message->event == VIRTIO_CONSOLE_PORT_READY)
        port_tell(message->id);
    else if (message->event == VIRTIO_CONSOLE_PORT_OPEN)
        fake.ports[message->id].guest_open = message->value;
    else
        cr_assert_fail("the guest sent event %u", message->event);
}

static void port_receive(uint32_t id, const char *bytes, uint32_t n)
{
    struct fake_port *port = &fake.ports[id];
    bool multiport = fake.accepted >> VIRTIO_CONSOLE_F_MULTIPORT & 1;
    if (multiport && !(port->host_open && port->guest_open)) {
        port->discarded += n;
        return;
    }
    cr_assert(port->bytes + n <= sizeof port->text);
    memcpy(port->text + port->bytes, bytes, n);
    port->bytes += n;
}

static void transmit_work(uint16_t queue)
{
    uint16_t head;
    uint32_t n;
    while (queue_pop(&fake.queues[queue], &head)) {
        const void *bytes = buffer(&fake.queues[queue], head, false, &n);
        if (queue == 3)
            control_receive(bytes);
        else
            port_receive(queue == 1 ? 0 : (uint32_t)(queue - 3) / 2, bytes, n);
        if (queue == 3 || !fake.holds)
            fake_used_push(queue, head, 0);
    }
}

void fake_work(void)
{
    for (uint16_t queue = 1; queue < FAKE_QUEUES; queue += 2)
        if (fake.queues[queue].enabled)
            transmit_work(queue);
}

void fake_notify(uint16_t queue)
{
    cr_assert(status_has(VIRTIO_CONFIG_S_DRIVER_OK), "notified before DRIVER_OK");
    cr_assert(queue < FAKE_QUEUES && fake.queues[queue].enabled, "notified a queue that is off");
    fake.notifications++;
    if (queue % 2 && !fake.asleep)
        transmit_work(queue);
}

size_t fake_send(uint32_t id, const void *bytes, size_t n)
{
    struct fake_queue *q = &fake.queues[queue_of(id)];
    size_t done = 0;
    uint16_t head;
    uint32_t room;
    while (done < n && queue_pop(q, &head)) {
        void *to = buffer(q, head, true, &room);
        uint32_t part = n - done < room ? (uint32_t)(n - done) : room;
        memcpy(to, (const char *)bytes + done, part);
        fake_used_push(queue_of(id), head, part);
        done += part;
    }
    return done;
}

/* FEATURES_OK sticks only if the accepted set is one the device can live with. */
static bool features_good(void)
{
    uint64_t platform = UINT64_C(1) << VIRTIO_F_ACCESS_PLATFORM;
    return !fake.rejects_features && !(fake.accepted & ~fake.offered) &&
           (!fake.insists_on_platform || fake.accepted & platform);
}

void fake_status_write(uint8_t status)
{
    if (status == 0) {
        memset(fake.queues, 0, sizeof fake.queues);
        fake.accepted = 0;
        fake.status = fake.never_resets ? 1 : 0;
        return;
    }
    uint8_t added = status & (uint8_t)~fake.status;
    cr_assert(!(added & (added - 1)), "one status bit at a time");
    if (added == VIRTIO_CONFIG_S_FEATURES_OK && !features_good())
        return;
    if (added == VIRTIO_CONFIG_S_DRIVER_OK)
        cr_assert(status_has(VIRTIO_CONFIG_S_FEATURES_OK));
    fake.status = status;
}

void fake_queue_enable(void)
{
    struct fake_queue *q = &fake.queues[fake.queue_selected];
    cr_assert(status_has(VIRTIO_CONFIG_S_FEATURES_OK));
    cr_assert(q->size && (q->size & (q->size - 1)) == 0 && q->size <= fake_queue_limit());
    cr_assert(q->descriptors % 16 == 0 && q->available % 2 == 0 && q->used % 4 == 0);
    q->enabled = true;
}

uint32_t fake_queue_limit(void)
{
    uint16_t queue = fake.queue_selected;
    if (queue >= FAKE_QUEUES)
        return 0;
    return queue == 2 || queue == 3 ? fake.control_limit : fake.queue_limit;
}

uint32_t fake_config_read(uint32_t offset)
{
    return offset == offsetof(struct virtio_console_config, max_nr_ports) ? fake.ports_max : 0;
}

void fake_config_write(uint32_t offset, uint32_t value)
{
    cr_assert(offset == offsetof(struct virtio_console_config, emerg_wr));
    cr_assert(fake.emergency_bytes < sizeof fake.emergency);
    fake.emergency[fake.emergency_bytes++] = (char)value;
}
