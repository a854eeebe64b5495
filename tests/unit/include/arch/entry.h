/* SPDX-License-Identifier: MIT
 * Host stand-in: the test plays the register that says where calls enter the kernel. */
#pragma once
#include <stdbool.h>

void entry_set_hooked(bool hooked);
