/* SPDX-License-Identifier: MIT
 * Power, reset and timer fields of short, long and hardware-reduced FADTs, HPET base, sleep type in the DSDT. */
#include "tests/unit/arch/x86_64/acpi_image.h"

static struct acpi_power power;

TestSuite(acpi_power, .init = build, .timeout = 60);

Test(acpi_power, a_fadt_whose_dsdt_is_the_fadt)
{
    put32(test_phys + FADT + 40, FADT);
    put64(test_phys + FADT + 140, FADT);
    close_table(test_phys, FADT, 276);
    uint8_t sleep_type;
    cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
    cr_assert(eq(int, acpi_find_s5(&sleep_type), STATUS_NOT_FOUND));
}

Test(acpi_power, power_of_a_full_fadt)
{
    cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
    cr_assert(eq(int, acpi_find_power(&power), STATUS_OK));
    cr_assert(not(power.hardware_reduced));
    cr_assert(eq(u16, power.smi_command, 0xb2));
    cr_assert(eq(u8, power.acpi_enable, 0xf1));
    cr_assert(eq(u16, power.pm1a_control, 0x604));
    cr_assert(eq(u16, power.pm1b_control, 0));
    cr_assert(eq(u16, power.pm_timer_port, 0x608));
    cr_assert(power.pm_timer_32bit);
    cr_assert(power.reset_register.valid);
    cr_assert(not(power.reset_register.is_memory));
    cr_assert(eq(u64, power.reset_register.address, 0xcf9));
    cr_assert(eq(u8, power.reset_value, 0x0f));
    cr_assert(not(power.sleep_control.valid));
}

Test(acpi_power, power_of_a_short_fadt)
{
    cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
    cr_assert(eq(int, acpi_find_power(&power), STATUS_OK));
    close_table(test_phys, FADT, 116); /* ACPI 1.0: ends before the reset register */
    cr_assert(eq(int, acpi_find_power(&power), STATUS_OK));
    cr_assert(eq(u16, power.pm1a_control, 0x604));
    cr_assert(eq(u16, power.pm_timer_port, 0x608));
    cr_assert(not(power.reset_register.valid));
    uint8_t sleep_type = 0;
    cr_assert(eq(int, acpi_find_s5(&sleep_type), STATUS_OK));
    cr_assert(eq(u8, sleep_type, 5));
}

Test(acpi_power, power_of_a_hardware_reduced_machine)
{
    put32(test_phys + FADT + 112, 1 << 20 | 1 << 10);
    put_register(test_phys + FADT + 116, 0, 0xfea00202);
    put_register(test_phys + FADT + 208, 0, 0); /* no timer; the old field has no meaning there */
    put_register(test_phys + FADT + 244, 0, 0xfea00200);
    close_table(test_phys, FADT, 276);
    cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
    cr_assert(eq(int, acpi_find_power(&power), STATUS_OK));
    cr_assert(power.hardware_reduced);
    cr_assert(power.sleep_control.valid);
    cr_assert(power.sleep_control.is_memory);
    cr_assert(eq(u64, power.sleep_control.address, 0xfea00200));
    cr_assert(power.reset_register.is_memory);
    cr_assert(eq(u16, power.pm1a_control, 0));
    cr_assert(eq(u16, power.pm_timer_port, 0));
}

/* Cloud Hypervisor: the generic field alone, no length, no old field; and its sleep register is a port. */
Test(acpi_power, a_hardware_reduced_machine_can_have_a_pm_timer)
{
    put32(test_phys + FADT + 112, 1 << 20 | 1 << 10 | 1 << 8);
    put32(test_phys + FADT + 76, 0x700); /* no meaning there */
    test_phys[FADT + 91] = 0;
    put_register(test_phys + FADT + 208, 1, 0x608);
    put_register(test_phys + FADT + 244, 1, 0x600);
    close_table(test_phys, FADT, 276);
    cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
    cr_assert(eq(int, acpi_find_power(&power), STATUS_OK));
    cr_assert(power.hardware_reduced);
    cr_assert(eq(u16, power.pm_timer_port, 0x608));
    cr_assert(power.pm_timer_32bit);
    cr_assert(power.sleep_control.valid);
    cr_assert(not(power.sleep_control.is_memory));
    cr_assert(eq(u64, power.sleep_control.address, 0x600));
    put_register(test_phys + FADT + 208, 0, 0xfea00300); /* in memory: not read */
    close_table(test_phys, FADT, 276);
    cr_assert(eq(int, acpi_find_power(&power), STATUS_OK));
    cr_assert(eq(u16, power.pm_timer_port, 0));
}

Test(acpi_power, ports_and_registers_that_cannot_be_are_absent)
{
    put32(test_phys + FADT + 64, 0);        /* from the generic address instead */
    put32(test_phys + FADT + 68, 0x10604);  /* no such port */
    put_register(test_phys + FADT + 184, 1, 0x700);
    test_phys[FADT + 91] = 3; /* no timer is three bytes wide */
    put32(test_phys + FADT + 112, 0);
    close_table(test_phys, FADT, 276);
    cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
    cr_assert(eq(int, acpi_find_power(&power), STATUS_OK));
    cr_assert(not(power.reset_register.valid), "its flag is not set");
    put32(test_phys + FADT + 112, 1 << 10);
    put_register(test_phys + FADT + 116, 1, 0x10cf9);
    put_register(test_phys + FADT + 244, 2, 0x40); /* PCI configuration space */
    close_table(test_phys, FADT, 276);
    cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
    cr_assert(eq(int, acpi_find_power(&power), STATUS_OK));
    cr_assert(eq(u16, power.pm1a_control, 0x604));
    cr_assert(eq(u16, power.pm1b_control, 0));
    cr_assert(eq(u16, power.pm_timer_port, 0));
    cr_assert(not(power.reset_register.valid));
    cr_assert(not(power.sleep_control.valid));
}

Test(acpi_power, hpet_base)
{
    paddr_t base = 0;
    cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
    cr_assert(eq(int, acpi_find_hpet(&base), STATUS_OK));
    cr_assert(eq(u64, base, HPET_BASE));
    put_register(test_phys + HPET + 40, 1, 0x400); /* in I/O space */
    close_table(test_phys, HPET, 56);
    cr_assert(eq(int, acpi_find_hpet(&base), STATUS_NOT_FOUND));
    close_table(test_phys, HPET, 55);
    cr_assert(eq(int, acpi_find_hpet(&base), STATUS_DATA_LOSS));
}

struct s5_case {
    const char *aml;
    uint8_t bytes;
    int sleep_type; /* -1: none */
};

Test(acpi_power, s5_forms)
{
    static const struct s5_case cases[] = {
        {"\x08_S5_\x12\x06\x04\x0a\x05\x00\x00\x00", 13, 5},         /* byte constant */
        {"\x08\\_S5_\x12\x06\x04\x0a\x07\x00\x00\x00", 14, 7},       /* named from the root */
        {"\x08_S5_\x12\x06\x04\x00\x00\x00\x00", 12, 0},             /* zero */
        {"\x08_S5_\x12\x06\x04\x01\x00\x00\x00", 12, 1},             /* one */
        {"\x08_S5_\x12\x47\x00\x04\x0a\x03", 11, 3},                 /* two-byte package length */
        {"\x08_S5_\x12\xc7\x00\x00\x00\x04\x0a\x02", 13, 2},         /* four-byte package length */
        {"_S5_\x08_S5_\x12\x06\x04\x0a\x06", 14, 6},                 /* a mere mention goes before */
        {"\x00_S5_\x12\x06\x04\x0a\x05\x00\x00\x00", 13, -1},        /* not a definition */
        {"\x08_S5_\x14\x06\x04\x0a\x05\x00\x00\x00", 13, -1},        /* a method */
        {"\x08_S5_\x12\x06\x04\x0a\x08\x00\x00\x00", 13, -1},        /* three bits hold no 8 */
        {"\x08_S5_\x12\x06\x04\x02\x00\x00\x00", 12, -1},            /* not a constant */
        {"\x08_S4_\x12\x06\x04\x0a\x05\x00\x00\x00", 13, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t sleep_type = 0xee;
        build_dsdt(cases[i].aml, cases[i].bytes);
        window_load(image, MADT + madt_bytes);
        cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
        const enum status status = acpi_find_s5(&sleep_type);
        cr_assert(eq(int, status, cases[i].sleep_type < 0 ? STATUS_NOT_FOUND : STATUS_OK), "case %zu", i);
        if (status == STATUS_OK)
            cr_assert(eq(int, sleep_type, cases[i].sleep_type), "case %zu", i);
    }
}

Test(acpi_power, s5_cut_anywhere)
{
    /* The DSDT moves to the end of memory and is cut there, with a sound checksum each time. */
    static const char aml[] = "\x08_S5_\x12\xc7\x00\x00\x00\x04\x0a\x02";
    put32(image + FADT + 40, 0);
    put64(image + FADT + 140, MADT + madt_bytes);
    close_table(image, FADT, 276);
    for (size_t bytes = 0; bytes <= 13; bytes++) {
        const size_t at = MADT + madt_bytes;
        begin_table(at, "DSDT", 36 + bytes);
        memcpy(image + at + 36, aml, bytes);
        close_table(image, at, 36 + bytes);
        window_load(image, at + 36 + bytes);
        uint8_t sleep_type = 0xee;
        cr_assert(eq(int, acpi_init(&boot), STATUS_OK));
        cr_assert(eq(int, acpi_find_s5(&sleep_type), bytes < 13 ? STATUS_NOT_FOUND : STATUS_OK));
        cr_assert(eq(u8, sleep_type, bytes < 13 ? 0xee : 2));
    }
}
