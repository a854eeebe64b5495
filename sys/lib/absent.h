/* SPDX-License-Identifier: MIT
 * What the kernel looked for in this machine and did not find, for one line of the boot log: monitors differ in what
 * they leave out, and whoever reads a log must see what was skipped. Boot CPU, at boot. */
#pragma once
#include <stddef.h>

/* Notes a device by a name that stays valid for ever; one that was noted before is not noted twice. */
void absent_note(const char *name);

/* Writes the names with commas between, in the order of the search, and returns the length; 0 if nothing is absent.
 * What does not fit into `bytes` is left out. */
size_t absent_describe(char *out, size_t bytes);
