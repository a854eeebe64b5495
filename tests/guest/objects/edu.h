/* SPDX-License-Identifier: MIT
 * A driver of QEMU's edu device, as far as its interrupt goes: a register whose bits raise it, one that shows them, one
 * that takes them back. While a bit is there, so is the level on its line; a message goes out with each raise. The
 * interrupt is named "edu" in the image. */
#pragma once
#include "tests/guest/check.h"
#include "user/rt/io.h"

#define EDU_LIVENESS 0x04
#define EDU_STATUS 0x24
#define EDU_RAISE 0x60
#define EDU_TAKE_BACK 0x64

/* To level_far. */
enum level_verb { LEVEL_ROUNDS, LEVEL_DIE, LEVEL_FIND };

static inline void edu_serve(uint64_t edu)
{
    device_write32(edu + EDU_TAKE_BACK, device_read32(edu + EDU_STATUS));
}

/* The interrupt comes, and the device says why. */
static inline void edu_expect(uint64_t edu, uint32_t handle, uint32_t why)
{
    check_signals("the interrupt", object_wait(handle, SIGNAL_EDU, TIME_MAX), SIGNAL_EDU);
    check_u64("why it came", device_read32(edu + EDU_STATUS), why);
}

/* Served and acknowledged it is over. Acknowledged alone it comes again; two reasons are one interrupt. */
static inline void level_rounds(uint64_t edu, uint32_t handle, uint32_t count)
{
    device_write32(edu + EDU_LIVENESS, 0x12345678);
    check_u64("the device", device_read32(edu + EDU_LIVENESS), 0xedcba987);
    for (uint32_t i = 1; i <= count; i++) {
        device_write32(edu + EDU_RAISE, i);
        if (i % 3 == 0)
            device_write32(edu + EDU_RAISE, 1u << 31);
        uint32_t why = i % 3 == 0 ? i | 1u << 31 : i;
        edu_expect(edu, handle, why);
        if (i % 3 == 1) {
            check_ok("acknowledge", interrupt_ack(handle, SIGNAL_EDU), 0);
            edu_expect(edu, handle, why);
        }
        edu_serve(edu);
        check_ok("acknowledge", interrupt_ack(handle, SIGNAL_EDU), 0);
        struct result r = object_wait(handle, SIGNAL_EDU, 0);
        if (r.status == STATUS_OK)
            tern_failure(STATUS_INTERNAL, "round %u: an interrupt of nothing", i);
    }
}
