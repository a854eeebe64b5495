/* SPDX-License-Identifier: MIT
 * Host stand-in: the test plays the one-shot timer and the end of interrupt. */
#pragma once
#include <stdint.h>

void apic_timer_arm(uint64_t ns);
void apic_eoi(void);
void apic_send(uint32_t apic_id, uint8_t vector);
