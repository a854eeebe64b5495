/* SPDX-License-Identifier: MIT
 * The kernel's own: the test plays the operations. */
#pragma once
#include "arch/x86_64/include/arch/platform.h"
