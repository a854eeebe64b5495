/* SPDX-License-Identifier: MIT
 * Host stand-in: the same layout. */
#pragma once
#include "arch/x86_64/include/arch/frame.h"
