/* SPDX-License-Identifier: MIT
 * The messages of the chain example. A frame is a text with its head; the middle fills in the number. */
#pragma once
#include "user/rt/message.h"

#define TEXT_BYTES 48

TERN_MESSAGE(chain_head, 16, uint64_t deadline_ns; uint32_t number; uint32_t bytes;);
TERN_MESSAGE(chain_frame, 64, struct chain_head head; char text[TEXT_BYTES];);
TERN_MESSAGE(chain_receipt, 16, uint32_t number; uint32_t bytes; uint64_t checksum;);

static inline uint64_t chain_checksum(const char *text, size_t n)
{
    uint64_t sum = 5381;
    for (size_t i = 0; i < n; i++)
        sum = sum * 33 + (unsigned char)text[i];
    return sum;
}
