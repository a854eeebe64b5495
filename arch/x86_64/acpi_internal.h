/* SPDX-License-Identifier: MIT
 * Shared by acpi.c and acpi_power.c only: opening a table by its address. */
#pragma once
#include "arch/x86_64/acpi.h"

#define ACPI_HEADER_BYTES 36

/* The table at `at`, checked. NOT_FOUND if nothing of this signature is in reach there, DATA_LOSS if it is unsound;
 * *out is then unchanged. */
enum status acpi_table_open(paddr_t at, const char *signature, struct acpi_table *out);
