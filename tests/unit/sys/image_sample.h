/* SPDX-License-Identifier: MIT
 * A small sound image, made by hand, and what the kernel relies on once image_check has accepted one. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/abi/histogram.h"
#include "sys/abi/layout.h"
#include "sys/image.h"

#define BASE(i) (USER_PROCESS_BASE + (uint64_t)(i)*USER_PROCESS_STRIDE)
#define STACK(i) (BASE(i) + USER_STACK_OFFSET)
#define HANDLER IMAGE_OBJECT_CHANNEL_HANDLER
#define INITIATOR IMAGE_OBJECT_CHANNEL_INITIATOR
#define DEVICE(i) (BASE(i) + USER_DEVICE_OFFSET)
#define HISTOGRAM_REGION_BYTES ((HISTOGRAM_BYTES + USER_PAGE_SIZE - 1) / USER_PAGE_SIZE * USER_PAGE_SIZE)

struct sample {
    struct image_header h;
    struct image_process processes[2];
    struct image_thread threads[3];
    struct image_object objects[12];
    struct image_region regions[6];
    struct image_interrupt interrupts[3];
    struct image_device devices[3];
    struct image_subscription subscriptions[1];
    unsigned char text[2][24];
};

static const uint32_t RX = IMAGE_REGION_READ | IMAGE_REGION_EXECUTE, RW = IMAGE_REGION_READ | IMAGE_REGION_WRITE;

/* A server and a client with one channel; the client, which watches over the server, has everything else too. Sealed.
 */
struct sample sample_make(void);

/* An object without interrupts and region. */
struct image_object sample_object(uint32_t process, const char *name, uint32_t type, uint32_t peer);

uint32_t crc32_plain(const unsigned char *p, size_t n);

/* Makes the checksum of the first `n` bytes right. */
void image_seal(void *image, size_t n);

/* What the kernel relies on, in other words than those of sys/image.c: each pair of entries is compared. */
bool promises_hold(const struct image_header *h);
