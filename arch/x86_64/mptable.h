/* SPDX-License-Identifier: MIT
 * The MP table (MultiProcessor Specification 1.4): the CPUs where there is no ACPI, as on microvm with acpi=off and on
 * old Firecracker. Boot CPU only. */
#pragma once
#include "arch/x86_64/cpu_list.h"
#include "sys/abi/status.h"

/* Enabled CPUs, local APIC address, first IO-APIC and what is unusual about its interrupts. NOT_FOUND if the BIOS areas
 * hold no sound table with an enabled CPU; *out is then an empty list. */
enum status mptable_find_cpus(struct cpu_list *out);
