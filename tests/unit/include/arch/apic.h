/* SPDX-License-Identifier: MIT
 * Host stand-in: the test plays the one-shot timer. */
#pragma once
#include <stdint.h>

void apic_timer_arm(uint64_t ns);
