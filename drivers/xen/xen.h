/* SPDX-License-Identifier: MIT
 * Takes over from the hardware what Xen does better (platform.h): timer, wake-ups, starting CPUs, the end. */
#pragma once
#include <stdbool.h>

/* Boot CPU, with its own area, when clock and local APIC run. A guest whose Xen refuses something keeps the APIC. */
void xen_start(void);

/* The machine's end becomes Xen's, for a command line that is refused too. Right after xen_detect. */
void xen_power_begin(void);

/* Whether the end that comes is to be a reboot in the toolstack's eyes. */
void xen_set_reboot(bool reboot);
