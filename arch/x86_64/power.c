/* SPDX-License-Identifier: MIT
 * QEMU's isa-debug-exit, then ACPI S5 (full or reduced hardware), then the reset register, then the reset line of the
 * keyboard controller, then a triple fault. On Cloud Hypervisor the register of S5 is a port; Firecracker has no S5 and
 * takes the keyboard controller's reset for an orderly end, a triple fault for a failure. */
#include "arch/x86_64/power.h"

#include "arch/x86_64/acpi.h"

#include <arch/control.h>
#include <arch/io.h>
#include <arch/memory.h>
#include <arch/platform.h>
#include <stddef.h>

#define DEBUG_EXIT_PORT 0xf4
#define SLEEP_ENABLE (1u << 13)
#define REDUCED_SLEEP_ENABLE (1u << 5)
#define KEYBOARD_STATUS 0x64 /* read: status, write: command */
#define KEYBOARD_RESET 0xfe
#define PORT_ABSENT 0xff

static struct acpi_power power; /* [I] */
static uint8_t sleep_type;      /* [I] */
static bool has_s5;             /* [I] */
static void *sleep_control;     /* [I] */

void power_init(void)
{
    has_s5 = acpi_find_power(&power) == STATUS_OK && acpi_find_s5(&sleep_type) == STATUS_OK;
}

void power_map(void)
{
    if (power.sleep_control.valid && power.sleep_control.is_memory)
        sleep_control = mmio_map(power.sleep_control.address, 1);
}

static void acpi_sleep(void)
{
    if (!has_s5)
        return;
    const uint8_t reduced = (uint8_t)((uint32_t)sleep_type << 2 | REDUCED_SLEEP_ENABLE);
    if (sleep_control)
        mmio_write8(sleep_control, 0, reduced);
    if (power.sleep_control.valid && !power.sleep_control.is_memory)
        io_out8((uint16_t)power.sleep_control.address, reduced);
    if (power.pm1a_control)
        io_out16(power.pm1a_control, (uint16_t)((uint32_t)sleep_type << 10 | SLEEP_ENABLE));
}

void power_off(enum shutdown_value value)
{
    io_out8(DEBUG_EXIT_PORT, (uint8_t)value);
    if (platform.off)
        platform.off(value != SHUTDOWN_PANIC);
    acpi_sleep();
    if (power.reset_register.valid && !power.reset_register.is_memory)
        io_out8((uint16_t)power.reset_register.address, power.reset_value);
    if (io_in8(KEYBOARD_STATUS) != PORT_ABSENT)
        io_out8(KEYBOARD_STATUS, KEYBOARD_RESET);
    struct table_pointer none = {0, 0};
    idt_load(&none);
    __asm__ volatile("ud2");
    cpu_stop();
}
