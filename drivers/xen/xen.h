/* SPDX-License-Identifier: MIT
 * Takes over from the hardware what Xen does better (platform.h): timer, wake-ups, starting CPUs, the end; and has Xen
 * count stolen time. Each is a switch of the command line's xen=. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Reads `wish`, the value of xen= or NULL, which is checked on any hypervisor. False: *bad and *bad_bytes are the word
 * that is no switch. Boot CPU. */
bool xen_choose(const char *wish, const char **bad, size_t *bad_bytes);

/* The switches' names with commas; those in use, "none" if there are none. Valid until the next call of either. */
const char *xen_names_text(void);
const char *xen_used_text(void);

/* The machine's end becomes Xen's, for a command line that is refused too. Right after xen_detect. */
void xen_power_begin(void);

/* Boot CPU, with its own area, when clock and local APIC run. A guest whose Xen refuses something keeps the APIC. */
void xen_start(void);

/* Whether the end that comes is to be a reboot in the toolstack's eyes. */
void xen_set_reboot(bool reboot);
