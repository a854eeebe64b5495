/* SPDX-License-Identifier: MIT
 * What the station says to a sensor, and what comes back. */
#pragma once
#include "user/rt/message.h"

TERN_MESSAGE(measure_request, 16, uint64_t round; uint64_t takes_ns;);
TERN_MESSAGE(measure_response, 16, uint64_t round; uint64_t value;);
