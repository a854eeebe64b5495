/* SPDX-License-Identifier: MIT
 * Host stand-in: the kernel's own accessors are already plain compiler builtins. */
#pragma once
#include "arch/x86_64/include/arch/atomic.h"
