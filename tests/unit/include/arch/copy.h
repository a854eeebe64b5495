/* SPDX-License-Identifier: MIT
 * Host stand-in: the kernel's own copy runs on the host as it is. */
#pragma once
#include "arch/x86_64/include/arch/copy.h"
