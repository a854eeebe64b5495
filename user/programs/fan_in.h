/* SPDX-License-Identifier: MIT
 * What the clients and the server of the fan-in example say to each other. */
#pragma once
#include "user/rt/message.h"

TERN_MESSAGE(add_request, 8, uint64_t amount;);
TERN_MESSAGE(add_response, 16, uint64_t total; uint64_t calls;);
