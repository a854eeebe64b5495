/* SPDX-License-Identifier: MIT
 * The console against the fake device over both transports: the conversation about ports, bytes both ways, and devices
 * that lie. Each test is a process of its own, so each starts with fresh driver state. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "drivers/virtio/console.h"
#include "tests/unit/drivers/virtio/fake_device.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ring.h>
#include <string.h>

#define FEATURE(bit) (UINT64_C(1) << (bit))

static struct virtio_console_stats stats(void)
{
    struct virtio_console_stats s;
    virtio_console_stats_read(&s);
    return s;
}

/* cr_assert keeps one bit of its argument, so masks are compared, never passed. */
static bool marked_failed(void)
{
    return fake.status & VIRTIO_CONFIG_S_FAILED;
}

static void plain_init(void)
{
    fake_init();
    fake_plug_mmio(23);
}

/* Starts the console on the device as the test shaped it, and expects that to succeed. */
static void start(void)
{
    cr_assert(eq(int, virtio_console_init(NULL), STATUS_OK));
}

TestSuite(console, .init = plain_init, .timeout = 20);

TestSuite(console_pci, .init = fake_init, .timeout = 20);

static void expect_broken(void)
{
    cr_assert(stats().broken);
    cr_assert(marked_failed());
    cr_assert(zero(virtio_port_write(virtio_console_port("org.tern.log"), "x", 1)));
}

Test(console, no_device_is_not_found)
{
    fake_bus.mmio = false;
    cr_assert(eq(int, virtio_console_init(""), STATUS_NOT_FOUND));
    cr_assert(zero(ptr, virtio_console_port("org.tern.log")));
    virtio_console_poll();
    virtio_console_emergency("x", 1);
}

Test(console, ports_are_found_by_name_once_open)
{
    start();
    cr_assert(not(zero(ptr, virtio_console_port("org.tern.log"))));
    cr_assert(not(zero(ptr, virtio_console_port("org.tern.hist"))));
    cr_assert(zero(ptr, virtio_console_port("org.tern.control")), "the host has it closed");
    cr_assert(virtio_console_has_port("org.tern.control"));
    cr_assert(not(virtio_console_has_port("org.tern.contro")));
    cr_assert(zero(ptr, virtio_console_port("org.tern.lo")));
    cr_assert(zero(ptr, virtio_console_port("")));
    cr_assert(zero(u32, fake.dropped));
    cr_assert(zero(u64, stats().control_refused));
    cr_assert(eq(u64, stats().control_received, 3 + 1 + 3 + 2));

    fake_port_open(3, true);
    virtio_console_poll();
    cr_assert(not(zero(ptr, virtio_console_port("org.tern.control"))));
}

Test(console, features_are_the_wanted_ones_only)
{
    fake.offered |= FEATURE(VIRTIO_F_RING_PACKED) | FEATURE(VIRTIO_F_IN_ORDER) | FEATURE(VIRTIO_F_ACCESS_PLATFORM);
    start();
    cr_assert(eq(u64, fake.accepted,
                 FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_RING_F_EVENT_IDX) | FEATURE(VIRTIO_CONSOLE_F_MULTIPORT) |
                     FEATURE(VIRTIO_CONSOLE_F_EMERG_WRITE)));
}

Test(console, access_platform_only_on_demand)
{
    fake.offered |= FEATURE(VIRTIO_F_ACCESS_PLATFORM);
    fake.insists_on_platform = true;
    start();
    cr_assert(eq(u64, fake.accepted & FEATURE(VIRTIO_F_ACCESS_PLATFORM), FEATURE(VIRTIO_F_ACCESS_PLATFORM)));
    cr_assert(not(zero(ptr, virtio_console_port("org.tern.log"))));
}

Test(console, bytes_arrive_in_order)
{
    static char text[6000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 23);
    start();
    struct virtio_port *log = virtio_console_port("org.tern.log");
    cr_assert(eq(sz, virtio_port_write(log, text, 5), 5));
    cr_assert(eq(sz, virtio_port_write(log, text + 5, sizeof text - 5), sizeof text - 5));
    cr_assert(virtio_port_flush(log, 10));
    cr_assert(eq(sz, fake.ports[0].bytes, sizeof text));
    cr_assert(zero(memcmp(fake.ports[0].text, text, sizeof text)));
    cr_assert(zero(sz, fake.ports[1].bytes));
    cr_assert(eq(u64, stats().bytes_sent, sizeof text));
    cr_assert(zero(u64, stats().bytes_refused));
}

/* More than 65536 ring entries, so every index wraps; interrupts stay off all the while (checked by the fake). */
Test(console, indices_wrap)
{
    start();
    struct virtio_port *log = virtio_console_port("org.tern.log");
    for (unsigned n = 0; n < 70000; n++) {
        cr_assert(eq(sz, virtio_port_write(log, "y", 1), 1));
        fake.ports[0].bytes = 0;
    }
    cr_assert(eq(u64, stats().bytes_sent, 70000));
    cr_assert(not(stats().broken));
}

Test(console, full_ring_takes_a_part)
{
    static char text[40000];
    start();
    struct virtio_port *log = virtio_console_port("org.tern.log");
    fake.holds = true;
    cr_assert(eq(sz, virtio_port_write(log, text, 64 * 512 - 100), 64 * 512 - 100), "all slots, the last one not full");
    cr_assert(zero(sz, virtio_port_write(log, text, sizeof text)));
    cr_assert(eq(u64, stats().bytes_refused, sizeof text));
    cr_assert(not(virtio_port_flush(log, 100)));
    cr_assert(not(stats().broken), "slow is not broken");
    for (unsigned slot = 64; slot-- > 0;) /* out of order is legal */
        fake_used_push(1, slot, 0);
    cr_assert(virtio_port_flush(log, 1));
}

Test(console, kicks_are_suppressed_while_the_device_is_awake)
{
    start();
    struct virtio_port *log = virtio_console_port("org.tern.log");
    uint64_t kicks = stats().kicks;
    fake.asleep = true;
    for (unsigned n = 0; n < 10; n++)
        cr_assert(eq(sz, virtio_port_write(log, "line\n", 5), 5));
    cr_assert(eq(u64, stats().kicks - kicks, 1), "avail_event has not moved since the first");
    cr_assert(not(zero(u64, stats().kicks_suppressed)));
    fake_work();
    cr_assert(eq(sz, fake.ports[0].bytes, 50));
    virtio_port_write(log, "!", 1);
    cr_assert(eq(u64, stats().kicks - kicks, 2), "caught up: the next one is news again");
}

Test(console, without_event_idx_flags_decide)
{
    fake.offered &= ~FEATURE(VIRTIO_RING_F_EVENT_IDX);
    start();
    struct virtio_port *log = virtio_console_port("org.tern.log");
    uint64_t kicks = stats().kicks;
    virtio_port_write(log, "a", 1);
    virtio_port_write(log, "b", 1);
    cr_assert(eq(u64, stats().kicks - kicks, 2));
    cr_assert(eq(sz, fake.ports[0].bytes, 2));
}

Test(console, nothing_is_written_before_host_open_or_after_close)
{
    start();
    struct virtio_port *log = virtio_console_port("org.tern.log");
    fake_port_open(0, false);
    virtio_console_poll();
    cr_assert(zero(ptr, virtio_console_port("org.tern.log")));
    cr_assert(zero(sz, virtio_port_write(log, "abc", 3)));
    cr_assert(eq(u64, stats().bytes_refused, 3));
    fake_port_open(0, true);
    virtio_console_poll();
    cr_assert(eq(ptr, virtio_console_port("org.tern.log"), log));
    cr_assert(eq(sz, virtio_port_write(log, "abc", 3), 3));
    cr_assert(zero(sz, fake.ports[0].discarded));
    cr_assert(eq(sz, fake.ports[0].bytes, 3));
}

Test(console, name_may_come_late)
{
    fake.ports[1].name = NULL;
    start();
    cr_assert(zero(ptr, virtio_console_port("org.tern.hist")));
    fake_control(1, VIRTIO_CONSOLE_PORT_NAME, 1, "org.tern.hist", 13);
    virtio_console_poll();
    cr_assert(not(zero(ptr, virtio_console_port("org.tern.hist"))));
}

Test(console, port_removed_and_added_again)
{
    start();
    struct virtio_port *hist = virtio_console_port("org.tern.hist");
    fake_control(1, VIRTIO_CONSOLE_PORT_REMOVE, 1, NULL, 0);
    virtio_console_poll();
    cr_assert(zero(ptr, virtio_console_port("org.tern.hist")));
    cr_assert(zero(sz, virtio_port_write(hist, "x", 1)));
    fake.ports[1].guest_ready = fake.ports[1].guest_open = false;
    fake_control(1, VIRTIO_CONSOLE_PORT_ADD, 1, NULL, 0);
    virtio_console_poll();
    virtio_console_poll();
    cr_assert(fake.ports[1].guest_ready && fake.ports[1].guest_open);
    cr_assert(eq(ptr, virtio_console_port("org.tern.hist"), hist));
    cr_assert(eq(sz, virtio_port_write(hist, "x", 1), 1));
    cr_assert(eq(sz, fake.ports[1].bytes, 1));
}

Test(console, more_ports_than_the_table_holds)
{
    static const char *const names[FAKE_PORTS] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l" };
    for (unsigned n = 0; n < FAKE_PORTS; n++)
        fake.ports[n] = (struct fake_port){ .exists = true, .name = names[n], .host_open = true };
    start();
    cr_assert(not(zero(ptr, virtio_console_port("h"))));
    cr_assert(zero(ptr, virtio_console_port("i")));
    cr_assert(eq(u64, stats().ports_ignored, FAKE_PORTS - 8));
    cr_assert(zero(u32, fake.dropped));
}

Test(console, small_queues)
{
    fake.queue_limit = 1;
    fake.control_limit = 8;
    start();
    struct virtio_port *log = virtio_console_port("org.tern.log");
    static char text[3000] = { 'z' };
    cr_assert(eq(sz, virtio_port_write(log, text, sizeof text), sizeof text), "one slot at a time");
    cr_assert(zero(memcmp(fake.ports[0].text, text, sizeof text)));
}

Test(console, host_bytes_are_read)
{
    static char text[9 * 512], seen[9 * 512];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    start();
    struct virtio_port *hist = virtio_console_port("org.tern.hist");
    cr_assert(zero(sz, virtio_port_read(hist, seen, 10)));
    cr_assert(eq(sz, fake_send(1, text, sizeof text), 8 * 512), "eight slots");
    cr_assert(eq(sz, virtio_port_read(hist, seen, 3), 3));
    cr_assert(eq(sz, virtio_port_read(hist, seen + 3, 600), 600));
    cr_assert(eq(sz, virtio_port_read(hist, seen + 603, sizeof seen), 8 * 512 - 603));
    cr_assert(eq(sz, fake_send(1, text + 8 * 512, 512), 512), "slots went back");
    cr_assert(eq(sz, virtio_port_read(hist, seen + 8 * 512, 512), 512));
    cr_assert(zero(memcmp(seen, text, sizeof text)));
    cr_assert(eq(u64, stats().bytes_received, sizeof text));
}

Test(console, without_multiport_port_0_is_the_log)
{
    fake.offered &= ~FEATURE(VIRTIO_CONSOLE_F_MULTIPORT);
    start();
    struct virtio_port *log = virtio_console_port("org.tern.log");
    cr_assert(eq(sz, virtio_port_write(log, "hello", 5), 5));
    cr_assert(eq(sz, fake.ports[0].bytes, 5));
    virtio_console_poll();
    cr_assert(eq(u64, stats().kicks, 2));
}

Test(console, emergency_bytes_go_to_the_register)
{
    start();
    virtio_console_emergency("panic", 5);
    cr_assert(zero(memcmp(fake.emergency, "panic", 5)));
}

Test(console, device_that_never_answers_ends_the_wait)
{
    fake.asleep = true;
    start();
    cr_assert(zero(ptr, virtio_console_port("org.tern.log")));
    fake.asleep = false;
    fake_work();
    for (unsigned n = 0; n < 8; n++)
        virtio_console_poll();
    cr_assert(not(zero(ptr, virtio_console_port("org.tern.log"))), "late, but not lost");
}

/* Devices that lie. */

Test(console, version_1_missing)
{
    fake.offered &= ~FEATURE(VIRTIO_F_VERSION_1);
    cr_assert(eq(int, virtio_console_init(NULL), STATUS_FAILED_PRECONDITION));
    cr_assert(marked_failed());
    cr_assert(stats().broken);
}

Test(console, features_rejected)
{
    fake.rejects_features = true;
    cr_assert(eq(int, virtio_console_init(NULL), STATUS_FAILED_PRECONDITION));
    cr_assert(marked_failed());
}

Test(console, reset_never_ends)
{
    fake.never_resets = true;
    cr_assert(eq(int, virtio_console_init(NULL), STATUS_FAILED_PRECONDITION));
}

Test(console, bad_control_queue_size)
{
    fake.control_limit = 24;
    cr_assert(eq(int, virtio_console_init(NULL), STATUS_OUT_OF_RANGE));
    cr_assert(marked_failed());
}

Test(console, absent_port_queues)
{
    fake.queue_limit = 0;
    start();
    cr_assert(eq(u64, stats().ports_ignored, 3));
    cr_assert(zero(ptr, virtio_console_port("org.tern.log")));
}

Test(console, oversized_port_queue)
{
    fake.queue_limit = 65536;
    start();
    cr_assert(eq(u64, stats().ports_ignored, 3));
}

static struct virtio_port *hold_three(void)
{
    start();
    struct virtio_port *log = virtio_console_port("org.tern.log");
    fake.holds = true;
    for (unsigned n = 0; n < 3; n++)
        cr_assert(eq(sz, virtio_port_write(log, "x", 1), 1));
    return log;
}

#define LIE(name, ...)                                        \
    Test(console, name)                                       \
    {                                                         \
        struct virtio_port *log = hold_three();               \
        __VA_ARGS__;                                          \
        cr_assert(not(virtio_port_flush(log, 1000000)));      \
        cr_assert(stats().broken);                            \
        cr_assert(marked_failed());      \
        cr_assert(zero(sz, virtio_port_write(log, "x", 1)));  \
        virtio_console_poll();                                \
    }

LIE(used_id_out_of_range, fake_used_push(1, 64, 0))
LIE(used_id_huge, fake_used_push(1, UINT32_MAX, 0))
LIE(used_id_not_queued, fake_used_push(1, 40, 0))
LIE(used_id_twice, fake_used_push(1, 1, 0); fake_used_push(1, 1, 0))
LIE(used_index_jumps_past_what_was_offered, fake_used_index(1, (uint16_t)(fake.queues[1].done + 4)))
LIE(used_index_jumps_past_the_queue, fake_used_index(1, (uint16_t)(fake.queues[1].done + 1000)))
LIE(used_index_goes_back, fake_used_index(1, (uint16_t)(fake.queues[1].done - 1)))
LIE(asks_for_reset, fake.status |= VIRTIO_CONFIG_S_NEEDS_RESET)

Test(console, received_length_past_the_slot)
{
    start();
    char c;
    struct virtio_port *hist = virtio_console_port("org.tern.hist");
    fake.queues[4].seen++;
    fake_used_push(4, 0, 513);
    cr_assert(zero(sz, virtio_port_read(hist, &c, 1)));
    cr_assert(stats().broken);
    cr_assert(marked_failed());
}

Test(console, empty_received_slots_go_back)
{
    start();
    char c;
    struct virtio_port *hist = virtio_console_port("org.tern.hist");
    for (uint32_t n = 0; n < 8; n++)
        fake_used_push(4, n, 0);
    fake.queues[4].seen = 8;
    cr_assert(zero(sz, virtio_port_read(hist, &c, 1)));
    cr_assert(eq(sz, fake_send(1, "k", 1), 1));
    cr_assert(eq(sz, virtio_port_read(hist, &c, 1), 1));
    cr_assert(eq(chr, c, 'k'));
}

Test(console, nonsense_control_messages)
{
    start();
    static char long_name[200];
    memset(long_name, 'n', sizeof long_name);
    uint64_t received = stats().control_received;
    fake_control(FAKE_PORTS, VIRTIO_CONSOLE_PORT_ADD, 1, NULL, 0);
    fake_control(UINT32_MAX, VIRTIO_CONSOLE_PORT_ADD, 1, NULL, 0);
    fake_control(0, VIRTIO_CONSOLE_PORT_ADD, 1, NULL, 0);
    fake_control(7, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL, 0);
    fake_control(UINT32_MAX, VIRTIO_CONSOLE_PORT_REMOVE, 1, NULL, 0);
    fake_control(0, 99, 1, NULL, 0);
    fake_control(0, VIRTIO_CONSOLE_PORT_NAME, 1, "\x1b[2J", 4);
    fake_control(0, VIRTIO_CONSOLE_PORT_NAME, 1, "a\0b", 3);
    fake_control(0, VIRTIO_CONSOLE_PORT_NAME, 1, "\xff", 1);
    fake_control(0, VIRTIO_CONSOLE_PORT_NAME, 1, long_name, sizeof long_name);
    virtio_console_poll();
    cr_assert(eq(u64, stats().control_received - received, 10));
    cr_assert(eq(u64, stats().control_refused, 10));
    cr_assert(not(zero(ptr, virtio_console_port("org.tern.log"))), "the old name stands");
    cr_assert(not(stats().broken));
}

Test(console, short_control_message)
{
    start();
    uint16_t slot = fake.queues[2].seen % 32;
    fake.queues[2].seen++;
    fake_used_push(2, slot, 7);
    virtio_console_poll();
    cr_assert(eq(u64, stats().control_refused + stats().broken, 1));
}

Test(console, control_length_past_the_slot)
{
    start();
    fake.queues[2].seen++;
    for (uint32_t slot = 0; slot < 32 && !stats().broken; slot++)
        fake_used_push(2, slot, 257), virtio_console_poll();
    expect_broken();
}

/* A device that announces the same ports over and over can neither exhaust memory nor keep us busy. */
Test(console, flood_of_announcements)
{
    start();
    for (unsigned n = 0; n < 2000; n++) {
        uint32_t id = n % 2 ? n % FAKE_PORTS : n;
        fake_control(id, n % 3 ? VIRTIO_CONSOLE_PORT_ADD : VIRTIO_CONSOLE_PORT_REMOVE, 1, NULL, 0);
        fake.ports[id % FAKE_PORTS].exists = true;
        virtio_console_poll();
    }
    cr_assert(not(stats().broken));
    cr_assert(stats().control_received >= 2000);
}

/* Buses. */

Test(console, legacy_mmio_is_refused)
{
    fake_bus.mmio_version = 1;
    cr_assert(eq(int, virtio_console_init(NULL), STATUS_UNIMPLEMENTED));
    cr_assert(zero(fake.status), "not touched");
}

Test(console, every_slot_is_scanned)
{
    fake_plug_mmio(0);
    start();
}

Test(console, hints_are_followed)
{
    fake_bus.mmio_place = UINT64_C(0xfec80200);
    const char *hints = "bench=all 512@0xfec80000:11  virtio_mmio.device=512@0xfec80200:12 x@";
    cr_assert(eq(int, virtio_console_init(hints), STATUS_OK));
    cr_assert(not(zero(ptr, virtio_console_port("org.tern.log"))));
}

Test(console, bad_hints_are_skipped)
{
    fake_bus.mmio = false;
    cr_assert(eq(int, virtio_console_init("@ 512 512@ 512@0x 512@: 512@0xfec80000 0@0xfec80000:1 512@0:1 512@3:1 "
                                          "512@0xffffffffffffff00:1 99999999999999999999@0xfec80000:1 4K@0xfec80000:5 "
                                          "9223372036854775808K@4:1 -1@4096:1 virtio_mmio.device= "
                                          "virtio_mmio.device=@"),
                 STATUS_NOT_FOUND));
    cr_assert(eq(u32, fake_bus.window_reads, 24 + 1), "only the one good hint was looked at");
}

Test(console_pci, modern_device_works)
{
    fake_plug_pci();
    start();
    struct virtio_port *log = virtio_console_port("org.tern.log");
    cr_assert(eq(sz, virtio_port_write(log, "over pci", 8), 8));
    cr_assert(zero(memcmp(fake.ports[0].text, "over pci", 8)));
    virtio_console_emergency("!", 1);
    cr_assert(eq(chr, fake.emergency[0], '!'));
    cr_assert(zero(u32, fake_bus.window_reads), "the slot window may be another device's BAR");
    cr_assert(eq(u8, fake_bus.config[PCI_COMMAND + 1] & PCI_COMMAND_INTX_DISABLE >> 8, PCI_COMMAND_INTX_DISABLE >> 8));
}

Test(console_pci, window_is_left_alone_where_there_is_pci)
{
    fake_plug_pci();
    fake_bus.pci_device = false;
    cr_assert(eq(int, virtio_console_init(NULL), STATUS_NOT_FOUND));
    cr_assert(zero(u32, fake_bus.window_reads));
}

Test(console_pci, pci_and_window_are_left_alone_if_told_so)
{
    fake_plug_pci();
    fake_plug_mmio(3);
    virtio_console_avoid_pci();
    cr_assert(eq(int, virtio_console_init("pci=off"), STATUS_NOT_FOUND));
    cr_assert(zero(u32, fake_bus.window_reads));
    cr_assert(zero(u32, fake_bus.pci_writes));
    cr_assert(eq(int, virtio_console_init("pci=off virtio_mmio.device=512@0xfeb00600:12"), STATUS_OK));
    cr_assert(zero(u32, fake_bus.pci_writes));
}

Test(console_pci, transitional_device_behind_a_bridge)
{
    fake_plug_pci();
    fake_bus.config[2] = 0x03;
    fake_bus.config[3] = 0x10;
    fake_bus.pci_bus = 1;
    start();
    cr_assert(not(zero(ptr, virtio_console_port("org.tern.log"))));
}

Test(console_pci, device_without_config_structure_is_refused)
{
    fake_plug_pci();
    fake_bus.config[0x55] = 0; /* the chain ends at the notify capability */
    cr_assert(eq(int, virtio_console_init(NULL), STATUS_OUT_OF_RANGE));
    cr_assert(marked_failed());
}

Test(console_pci, doorbell_past_the_structure)
{
    fake_plug_pci();
    fake_bus.config[0x54 + 12] = 6; /* length 6: queues 0 and 1 only */
    fake_bus.config[0x54 + 13] = 0;
    cr_assert(eq(int, virtio_console_init(NULL), STATUS_OUT_OF_RANGE));
    cr_assert(marked_failed());
}
