/* SPDX-License-Identifier: MIT
 * The ways to end the machine, and their order, on machines that lack one or the other: what is written where, and that
 * nothing is written to what the firmware did not name. The triple fault is an invalid opcode here. */
#include "arch/x86_64/power.h"

#include "arch/x86_64/acpi.h"

#include <arch/control.h>
#include <arch/io.h>
#include <arch/memory.h>
#include <arch/platform.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

struct platform platform; /* nothing of a hypervisor's */

static struct acpi_power firmware; /* all zeros: no such thing */
static bool has_fadt, has_s5;
static uint8_t keyboard_status = 0xff;
static char done[256];
static sigjmp_buf end;
static unsigned char window[16];

enum status acpi_find_power(struct acpi_power *out)
{
    *out = firmware;
    return has_fadt ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status acpi_find_s5(uint8_t *sleep_type)
{
    *sleep_type = 5;
    return has_s5 ? STATUS_OK : STATUS_NOT_FOUND;
}

static void note(const char *where, uint64_t place, unsigned value)
{
    const size_t n = strlen(done);
    snprintf(done + n, sizeof done - n, "%s%lx=%x ", where, place, value);
}

static void hypervisor_off(bool orderly)
{
    note("off", orderly, 0);
}

void io_out8(uint16_t port, uint8_t v)
{
    note("", port, v);
}

void io_out16(uint16_t port, uint16_t v)
{
    note("w", port, v);
}

uint8_t io_in8(uint16_t port)
{
    cr_assert(eq(u16, port, 0x64));
    return keyboard_status;
}

void mmio_write8(void *base, uint32_t offset, uint8_t v)
{
    cr_assert(base == (void *)window);
    note("m", test_phys_base + offset, v);
}

void idt_load(const struct table_pointer *p)
{
    cr_assert(zero(u16, p->limit));
    strcat(done, "fault");
}

void cpu_stop(void)
{
    cr_assert(0, "past the triple fault");
    abort();
}

static void on_fault(int number)
{
    (void)number;
    siglongjmp(end, 1);
}

static void expect_end(enum shutdown_value value, const char *steps)
{
    signal(SIGILL, on_fault);
    test_phys = window;
    test_phys_base = 0xfea00200;
    test_phys_bytes = sizeof window;
    power_init();
    power_map();
    if (!sigsetjmp(end, 1))
        power_off(value);
    cr_assert(eq(str, done, (char *)(uintptr_t)steps));
}

static void expect(const char *steps)
{
    expect_end(SHUTDOWN_SUCCESS, steps);
}

Test(power, without_any_firmware)
{
    expect("f4=10 fault");
}

Test(power, firecracker_has_a_keyboard_controller_and_no_s5)
{
    firmware.hardware_reduced = has_fadt = true;
    keyboard_status = 0;
    expect("f4=10 64=fe fault");
}

Test(power, cloud_hypervisor_sleeps_by_a_port)
{
    firmware.hardware_reduced = has_fadt = has_s5 = true;
    firmware.sleep_control = (struct acpi_register){.valid = true, .address = 0x600};
    firmware.reset_register = (struct acpi_register){.valid = true, .address = 0x3c0};
    firmware.reset_value = 1;
    expect("f4=10 600=34 3c0=1 fault");
}

Test(power, microvm_sleeps_by_a_register_in_memory)
{
    firmware.hardware_reduced = has_fadt = has_s5 = true;
    firmware.sleep_control = (struct acpi_register){.valid = true, .is_memory = true, .address = 0xfea00200};
    expect("f4=10 mfea00200=34 fault");
}

Test(power, a_pc_sleeps_by_pm1a)
{
    has_fadt = has_s5 = true;
    firmware.pm1a_control = 0x604;
    firmware.reset_register = (struct acpi_register){.valid = true, .address = 0xcf9};
    firmware.reset_value = 0xf;
    keyboard_status = 0x1c;
    expect("f4=10 w604=3400 cf9=f 64=fe fault");
}

Test(power, nothing_sleeps_without_s5)
{
    has_fadt = true;
    firmware.pm1a_control = 0x604;
    firmware.sleep_control = (struct acpi_register){.valid = true, .address = 0x600};
    expect("f4=10 fault");
}

Test(power, a_hypervisor_is_asked_first)
{
    platform.off = hypervisor_off;
    has_fadt = has_s5 = true;
    firmware.pm1a_control = 0x604;
    expect("f4=10 off1=0 w604=3400 fault");
}

Test(power, a_hypervisor_hears_of_a_panic)
{
    platform.off = hypervisor_off;
    expect_end(SHUTDOWN_PANIC, "f4=12 off0=0 fault");
}
