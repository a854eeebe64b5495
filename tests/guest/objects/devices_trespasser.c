/* SPDX-License-Identifier: MIT
 * Touches what its process was not given, as its name says. What it was given it may touch first. */
#include "handles.h"
#include "tests/guest/check.h"
#include "user/rt/io.h"

#ifndef MAPPING_FIRMWARE_START_ADDRESS
#define MAPPING_FIRMWARE_START_ADDRESS 0x10000ul /* of processes that do not ask for it */
#endif

static bool is(const char *name)
{
    return strcmp(PROCESS_NAME, name) == 0;
}

int main(void)
{
    if (is("trespass none"))
        (void)port_in8(0x3ff);
    if (is("trespass port")) {
        (void)port_in8(0x3fe);
        port_out8(0x3fd, 0);
    }
    if (is("trespass width")) {
        (void)port_in16(0x3fe);
        (void)port_in32(0x3fe);
    }
    if (is("trespass string")) {
        uint8_t byte;
        (void)port_in8(0x3ff);
        __asm__ volatile("insb" ::"D"(&byte), "d"(0x3ff) : "memory");
    }
    if (is("trespass execute")) {
        (void)device_read8(MAPPING_FIRMWARE_START_ADDRESS);
        ((void (*)(void))MAPPING_FIRMWARE_START_ADDRESS)();
    }
    if (is("trespass beyond")) {
        (void)device_read8(MAPPING_FIRMWARE_START_ADDRESS + 4095);
        (void)device_read8(MAPPING_FIRMWARE_START_ADDRESS + 4096);
    }
    tern_failure(STATUS_INTERNAL, "'%s' lived", PROCESS_NAME);
}
