/* SPDX-License-Identifier: MIT
 * Leaving the machine by whatever means it has. */
#pragma once
#include <stdint.h>

/* How the machine ended, as it is told outside. */
enum shutdown_value {
    SHUTDOWN_SUCCESS = 0x10,    /* exit status 33 */
    SHUTDOWN_FAILURE = 0x11,    /* 35 */
    SHUTDOWN_PANIC = 0x12,      /* 37 */
    SHUTDOWN_BAD_CONFIG = 0x13, /* 39: command line or image refused */
};

/* Reads the ACPI registers for power-off and reset. Boot CPU, while the boot tables are mapped. */
void power_init(void);

/* Maps what lies in memory; after paging_init. */
void power_map(void);

/* isa-debug-exit with `value` (QEMU exits with 2 * value + 1), else the hypervisor's way (platform.h), ACPI power-off,
 * reset, halt. */
_Noreturn void power_off(enum shutdown_value value);
