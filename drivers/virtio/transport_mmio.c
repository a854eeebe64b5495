/* SPDX-License-Identifier: MIT
 * virtio-mmio, version 2. QEMU's microvm puts its devices into 512-byte slots from 0xfeb00000, the first device into
 * the last slot; other monitors name them on the command line as virtio_mmio.device=SIZE@ADDRESS:IRQ. Version 1
 * (QEMU's default for this transport) is refused with the option that changes it. Interrupts are never enabled. */
#include "drivers/virtio/virtio_internal.h"

#include <arch/io.h>
#include <arch/memory.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_mmio.h>
#include "sys/lib/log.h"
#include "sys/lib/string.h"

#define MAGIC 0x74726976u /* "virt" */
#define WINDOW UINT64_C(0xfeb00000)
#define SLOT_BYTES 512u
#define SLOTS 24u
#define HINTS_MAX 32u
#define CONFIG_BYTES (SLOT_BYTES - VIRTIO_MMIO_CONFIG)

static uint32_t mmio_features_read(struct virtio_transport *t, uint32_t word)
{
    mmio_write32(t->registers, VIRTIO_MMIO_DEVICE_FEATURES_SEL, word);
    return mmio_read32(t->registers, VIRTIO_MMIO_DEVICE_FEATURES);
}

static void mmio_features_write(struct virtio_transport *t, uint32_t word, uint32_t value)
{
    mmio_write32(t->registers, VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
    mmio_write32(t->registers, VIRTIO_MMIO_DRIVER_FEATURES, value);
}

static uint8_t mmio_status_read(struct virtio_transport *t)
{
    return (uint8_t)mmio_read32(t->registers, VIRTIO_MMIO_STATUS);
}

static void mmio_status_write(struct virtio_transport *t, uint8_t status)
{
    mmio_write32(t->registers, VIRTIO_MMIO_STATUS, status);
}

static uint32_t mmio_queue_limit(struct virtio_transport *t, uint16_t queue)
{
    mmio_write32(t->registers, VIRTIO_MMIO_QUEUE_SEL, queue);
    return mmio_read32(t->registers, VIRTIO_MMIO_QUEUE_NUM_MAX);
}

static void write_address(struct virtio_transport *t, uint32_t low_register, uint64_t address)
{
    mmio_write32(t->registers, low_register, (uint32_t)address);
    mmio_write32(t->registers, low_register + 4, (uint32_t)(address >> 32));
}

static enum status mmio_queue_enable(struct virtio_transport *t, const struct virtio_queue_place *place,
                                     struct virtio_doorbell *out)
{
    mmio_write32(t->registers, VIRTIO_MMIO_QUEUE_SEL, place->queue);
    if (mmio_read32(t->registers, VIRTIO_MMIO_QUEUE_READY) != 0)
        return STATUS_FAILED_PRECONDITION;
    mmio_write32(t->registers, VIRTIO_MMIO_QUEUE_NUM, place->size);
    write_address(t, VIRTIO_MMIO_QUEUE_DESC_LOW, place->descriptors);
    write_address(t, VIRTIO_MMIO_QUEUE_AVAIL_LOW, place->available);
    write_address(t, VIRTIO_MMIO_QUEUE_USED_LOW, place->used);
    mmio_write32(t->registers, VIRTIO_MMIO_QUEUE_READY, 1);
    *out = (struct virtio_doorbell){.base = t->registers, .offset = VIRTIO_MMIO_QUEUE_NOTIFY, .is_32_bit = true};
    return STATUS_OK;
}

static const struct virtio_transport_ops mmio_ops = {
    .features_read = mmio_features_read,
    .features_write = mmio_features_write,
    .status_read = mmio_status_read,
    .status_write = mmio_status_write,
    .queue_limit = mmio_queue_limit,
    .queue_enable = mmio_queue_enable,
};

/* NOT_FOUND for anything but a console, UNIMPLEMENTED for a console of another version. */
static enum status slot_probe(struct virtio_transport *out, void *registers, paddr_t place)
{
    if (mmio_read32(registers, VIRTIO_MMIO_MAGIC_VALUE) != MAGIC ||
        mmio_read32(registers, VIRTIO_MMIO_DEVICE_ID) != VIRTIO_ID_CONSOLE)
        return STATUS_NOT_FOUND;
    uint32_t version = mmio_read32(registers, VIRTIO_MMIO_VERSION);
    if (version != 2) {
        log_warn("virtio-mmio: console at 0x%llx has version %u, not 2; pass -global virtio-mmio.force-legacy=false",
                 (unsigned long long)place, version);
        return STATUS_UNIMPLEMENTED;
    }
    *out = (struct virtio_transport){
        .ops = &mmio_ops,
        .registers = registers,
        .config = (char *)registers + VIRTIO_MMIO_CONFIG,
        .config_bytes = CONFIG_BYTES,
    };
    log_info("virtio-mmio: console at 0x%llx", (unsigned long long)place);
    return STATUS_OK;
}

static bool digit_value(char c, unsigned base, uint64_t *out)
{
    if (c >= '0' && c <= '9')
        *out = (uint64_t)(c - '0');
    else if (c >= 'a' && c <= 'f')
        *out = (uint64_t)(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F')
        *out = (uint64_t)(c - 'A') + 10;
    else
        return false;
    return *out < base;
}

/* Reads a number (0x for hexadecimal, K or M after it) and moves *text past it; false if there is none or it
 * overflows. */
static bool number_parse(const char **text, uint64_t *out)
{
    const char *s = *text;
    unsigned base = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;
    uint64_t value = 0, digit;
    s += base == 16 ? 2 : 0;
    if (!digit_value(*s, base, &digit))
        return false;
    for (; digit_value(*s, base, &digit); s++) {
        if (value > (UINT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    if (*s == 'K' || *s == 'k' || *s == 'M') {
        unsigned shift = *s++ == 'M' ? 20 : 10;
        if (value >> (64 - shift))
            return false;
        value <<= shift;
    }
    *text = s;
    *out = value;
    return true;
}

/* SIZE@ADDRESS:..., with or without the name of the option before it. */
static bool hint_parse(const char *text, paddr_t *out)
{
    static const char option[] = "virtio_mmio.device=";
    uint64_t bytes, place;
    if (strncmp(text, option, sizeof option - 1) == 0)
        text += sizeof option - 1;
    if (!number_parse(&text, &bytes) || *text++ != '@' || !number_parse(&text, &place) || *text != ':')
        return false;
    if (bytes < SLOT_BYTES || place == 0 || place % 4 || place + bytes < place)
        return false;
    *out = place;
    return true;
}

static const char *word_next(const char *text)
{
    while (*text && *text != ' ')
        text++;
    while (*text == ' ')
        text++;
    return text;
}

static enum status place_probe(struct virtio_transport *out, paddr_t place)
{
    paddr_t page = place & ~(paddr_t)(PAGE_SIZE - 1);
    char *registers = mmio_map(page, (size_t)(place - page) + SLOT_BYTES);
    return registers ? slot_probe(out, registers + (place - page), place) : STATUS_RESOURCE_EXHAUSTED;
}

static enum status window_probe(struct virtio_transport *out)
{
    enum status verdict = STATUS_NOT_FOUND;
    char *window = mmio_map(WINDOW, SLOTS * SLOT_BYTES);
    if (!window)
        return STATUS_RESOURCE_EXHAUSTED;
    for (unsigned n = SLOTS; n-- > 0;) {
        enum status s = slot_probe(out, window + n * SLOT_BYTES, WINDOW + n * SLOT_BYTES);
        if (s == STATUS_OK)
            return s;
        if (s != STATUS_NOT_FOUND)
            verdict = s;
    }
    return verdict;
}

enum status virtio_mmio_probe(struct virtio_transport *out, const char *hints, bool scan_window)
{
    enum status verdict = STATUS_NOT_FOUND;
    unsigned tried = 0;
    for (const char *word = hints ? hints : ""; *word && tried < HINTS_MAX; word = word_next(word)) {
        paddr_t place;
        if (!hint_parse(word, &place))
            continue;
        tried++;
        enum status s = place_probe(out, place);
        if (s == STATUS_OK)
            return s;
        if (s != STATUS_NOT_FOUND)
            verdict = s;
    }
    if (!scan_window)
        return verdict;
    enum status s = window_probe(out);
    return s == STATUS_NOT_FOUND ? verdict : s;
}
