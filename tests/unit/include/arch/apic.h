/* SPDX-License-Identifier: MIT
 * Host stand-in: the test plays the end of interrupt. */
#pragma once
#include <stdint.h>

void apic_eoi(void);
void apic_use_platform(void);
