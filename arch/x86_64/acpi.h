/* SPDX-License-Identifier: MIT
 * The static ACPI tables: root, MADT (CPUs), FADT (power-off, reset, timer), HPET. No AML is interpreted; the one thing
 * read from the DSDT is the constant package `\_S5`. acpi_init first, then the finders, in any order and repeatedly:
 * they read the tables anew each time and keep nothing. Boot CPU only, except acpi_find_s5, which may also be called at
 * shutdown. */
#pragma once
#include <arch/memory.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arch/x86_64/boot_info.h"
#include "arch/x86_64/cpu_list.h"
#include "sys/abi/status.h"

/* A checked table: `data[0, bytes)` with a sound length and checksum, header included. */
struct acpi_table {
    const uint8_t *data;
    uint32_t bytes;
};

/* A register in memory (map it) or I/O space (a 16-bit port, never 0). */
struct acpi_register {
    bool valid;
    bool is_memory; /* false too if not valid */
    uint64_t address;
};

/* Ports are 0 where the machine has none. Power-off: write sleep type << 10 | 1 << 13 to pm1a_control (and
 * pm1b_control), or, where hardware_reduced, sleep type << 2 | 1 << 5 (one byte) to sleep_control. */
struct acpi_power {
    bool hardware_reduced;
    uint16_t smi_command; /* write acpi_enable here first, if both are not 0 */
    uint8_t acpi_enable;
    uint16_t pm1a_control;
    uint16_t pm1b_control;
    uint16_t pm_timer_port;              /* 3579545 Hz */
    bool pm_timer_32bit;                 /* else it wraps at 24 bits */
    struct acpi_register reset_register; /* write reset_value, one byte */
    uint8_t reset_value;
    struct acpi_register sleep_control;
};

/* Finds the root table: by the loader's copy of the RSDP, by its address, by a scan of the BIOS areas, whichever comes
 * first to a sound RSDP and root table. NOT_FOUND if none does; the finders then say NOT_FOUND too. */
enum status acpi_init(const struct boot_info *boot);

/* The first sound table of this 4-letter signature ("APIC", "FACP", "HPET", "MCFG"). NOT_FOUND, or DATA_LOSS if there
 * are only unsound ones (length, checksum, or out of reach past the header); *out is then unchanged. */
enum status acpi_find_table(const char *signature, struct acpi_table *out);

/* The enabled CPUs of the MADT, IO-APICs and overrides. NOT_FOUND if there is no MADT or it has no enabled CPU,
 * DATA_LOSS if it is unsound; *out is then an empty list. */
enum status acpi_find_cpus(struct cpu_list *out);

/* What the FADT says; fields past the end of an old, short FADT are absent. Errors as acpi_find_table. */
enum status acpi_find_power(struct acpi_power *out);

/* SLP_TYPa (0..7) of `\_S5`, found in the bytes of the DSDT. NOT_FOUND if there is no such constant package, DATA_LOSS
 * if FADT or DSDT are unsound. */
enum status acpi_find_s5(uint8_t *sleep_type);

/* Base of the HPET's registers. NOT_FOUND if there is none in memory space, else errors as acpi_find_table. */
enum status acpi_find_hpet(paddr_t *base);
