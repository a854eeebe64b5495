/* SPDX-License-Identifier: MIT
 * Leaving the machine by whatever means it has. */
#pragma once
#include <stdint.h>

/* Reads the ACPI registers for power-off and reset. Boot CPU, while the boot tables are mapped. */
void power_init(void);

/* Maps what lies in memory; after paging_init. */
void power_map(void);

/* isa-debug-exit with `value` (QEMU exits with 2 * value + 1), else ACPI power-off, reset, halt. */
_Noreturn void power_off(uint32_t value);
