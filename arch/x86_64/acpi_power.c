/* SPDX-License-Identifier: MIT
 * Power-off, reset and timers out of FADT, HPET table and DSDT. Old FADTs are shorter than new ones: the table is
 * copied into a zeroed buffer of full size, so that a field past its end reads as absent. The DSDT is searched, not
 * interpreted. A hardware-reduced machine has no fixed ACPI registers, but Cloud Hypervisor's has a PM timer all the
 * same, in its generic field only; Linux uses it there too. */
#include "arch/x86_64/acpi.h"

#include "arch/x86_64/acpi_internal.h"
#include "arch/x86_64/boot_table.h"

#define S5_NAME 0x5f35535fu /* "_S5_", little-endian */

enum {
    FADT_BYTES = 268, /* through SLEEP_STATUS_REG */
    FADT_DSDT = 40,
    FADT_SMI_COMMAND = 48,
    FADT_ACPI_ENABLE = 52,
    FADT_PM1A_CONTROL = 64,
    FADT_PM1B_CONTROL = 68,
    FADT_PM_TIMER = 76,
    FADT_PM_TIMER_BYTES = 91,
    FADT_FLAGS = 112,
    FADT_RESET_REGISTER = 116,
    FADT_RESET_VALUE = 128,
    FADT_X_DSDT = 140,
    FADT_X_PM1A_CONTROL = 172,
    FADT_X_PM1B_CONTROL = 184,
    FADT_X_PM_TIMER = 208,
    FADT_SLEEP_CONTROL = 244,
    FLAG_TIMER_32BIT = 1 << 8,
    FLAG_RESET_REGISTER = 1 << 10,
    FLAG_HARDWARE_REDUCED = 1 << 20,

    REGISTER_SPACE = 0,
    REGISTER_ADDRESS = 4,
    SPACE_MEMORY = 0,
    SPACE_IO = 1,

    HPET_BYTES = 56,
    HPET_REGISTER = 40,

    AML_NAME = 0x08,
    AML_ROOT = '\\',
    AML_BYTE = 0x0a,
    AML_PACKAGE = 0x12,
    SLEEP_TYPE_MAX = 7,
};

/* A generic address structure. Address 0 is "none" in every field it is used in. */
static struct acpi_register register_decode(const uint8_t *from)
{
    const uint8_t space = from[REGISTER_SPACE];
    const uint64_t address = load_le64(from + REGISTER_ADDRESS);
    const bool valid = address != 0 && (space == SPACE_MEMORY || (space == SPACE_IO && address <= UINT16_MAX));
    const bool is_memory = valid && space == SPACE_MEMORY;
    return (struct acpi_register){.valid = valid, .is_memory = is_memory, .address = valid ? address : 0};
}

/* A port from its old 32-bit field or, if that is empty, from the generic address that took its place. */
static uint16_t port_decode(const uint8_t *fadt, uint32_t old, uint32_t generic)
{
    const uint32_t port = load_le32(fadt + old);
    const struct acpi_register r = register_decode(fadt + generic);
    if (port != 0)
        return port <= UINT16_MAX ? (uint16_t)port : 0;
    return r.valid && !r.is_memory ? (uint16_t)r.address : 0;
}

static uint16_t pm_timer_decode(const uint8_t *fadt, bool hardware_reduced)
{
    const struct acpi_register r = register_decode(fadt + FADT_X_PM_TIMER);
    if (hardware_reduced)
        return r.valid && !r.is_memory ? (uint16_t)r.address : 0;
    return fadt[FADT_PM_TIMER_BYTES] == 4 ? port_decode(fadt, FADT_PM_TIMER, FADT_X_PM_TIMER) : 0;
}

static enum status fadt_read(uint8_t fadt[FADT_BYTES])
{
    struct acpi_table table;
    const enum status status = acpi_find_table("FACP", &table);
    if (status != STATUS_OK)
        return status;
    memset(fadt, 0, FADT_BYTES);
    memcpy(fadt, table.data, table.bytes < FADT_BYTES ? table.bytes : FADT_BYTES);
    return STATUS_OK;
}

enum status acpi_find_power(struct acpi_power *out)
{
    uint8_t fadt[FADT_BYTES];
    const enum status status = fadt_read(fadt);
    if (status != STATUS_OK)
        return status;
    const uint32_t flags = load_le32(fadt + FADT_FLAGS);

    memset(out, 0, sizeof *out);
    out->hardware_reduced = flags & FLAG_HARDWARE_REDUCED;
    if (flags & FLAG_RESET_REGISTER)
        out->reset_register = register_decode(fadt + FADT_RESET_REGISTER);
    out->reset_value = fadt[FADT_RESET_VALUE];
    out->sleep_control = register_decode(fadt + FADT_SLEEP_CONTROL);
    out->pm_timer_port = pm_timer_decode(fadt, out->hardware_reduced);
    out->pm_timer_32bit = flags & FLAG_TIMER_32BIT;
    if (out->hardware_reduced) /* the fields below have no meaning there */
        return STATUS_OK;

    const uint32_t smi = load_le32(fadt + FADT_SMI_COMMAND);
    out->smi_command = smi <= UINT16_MAX ? (uint16_t)smi : 0;
    out->acpi_enable = fadt[FADT_ACPI_ENABLE];
    out->pm1a_control = port_decode(fadt, FADT_PM1A_CONTROL, FADT_X_PM1A_CONTROL);
    out->pm1b_control = port_decode(fadt, FADT_PM1B_CONTROL, FADT_X_PM1B_CONTROL);
    return STATUS_OK;
}

/* `aml[i]` is the name _S5_: is it being defined, as a package whose first element is a constant sleep type? Elements
 * that are 0 or 1 have one-byte opcodes of the same value; others come as a prefix and a byte. */
static bool s5_decode(const uint8_t *aml, size_t bytes, size_t i, uint8_t *sleep_type)
{
    const size_t opcode = aml[i - 1] == AML_ROOT ? i - 2 : i - 1;
    size_t at = i + 4;
    if (aml[opcode] != AML_NAME || bytes - at < 2 || aml[at] != AML_PACKAGE)
        return false;
    at += 1u + 1u + (aml[at + 1] >> 6) + 1u; /* opcode, package length with up to 3 more bytes, element count */
    const bool has_prefix = at < bytes && aml[at] == AML_BYTE;
    at += has_prefix;
    if (at >= bytes || aml[at] > (has_prefix ? SLEEP_TYPE_MAX : 1))
        return false;
    *sleep_type = aml[at];
    return true;
}

enum status acpi_find_s5(uint8_t *sleep_type)
{
    uint8_t fadt[FADT_BYTES];
    struct acpi_table dsdt;
    enum status status = fadt_read(fadt);
    if (status != STATUS_OK)
        return status;
    status = acpi_table_open(load_le64(fadt + FADT_X_DSDT), "DSDT", &dsdt);
    if (status != STATUS_OK)
        status = acpi_table_open(load_le32(fadt + FADT_DSDT), "DSDT", &dsdt);
    if (status != STATUS_OK)
        return status;
    for (size_t i = ACPI_HEADER_BYTES + 1; i + 4 <= dsdt.bytes; i++) {
        if (load_le32(dsdt.data + i) == S5_NAME && s5_decode(dsdt.data, dsdt.bytes, i, sleep_type))
            return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}

enum status acpi_find_hpet(paddr_t *base)
{
    struct acpi_table table;
    const enum status status = acpi_find_table("HPET", &table);
    if (status != STATUS_OK)
        return status;
    if (table.bytes < HPET_BYTES)
        return STATUS_DATA_LOSS;
    const struct acpi_register r = register_decode(table.data + HPET_REGISTER);
    if (!r.is_memory)
        return STATUS_NOT_FOUND;
    *base = r.address;
    return STATUS_OK;
}
