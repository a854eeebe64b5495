/* SPDX-License-Identifier: MIT
 * CRC-32 (IEEE, as zlib's). Boot CPU. */
#pragma once
#include <stdint.h>

/* Fills the tables; before the first update. */
void crc32_begin(void);

/* Continues `crc`, which begins as ~0 and ends inverted, over `n` bytes. */
uint32_t crc32_update(uint32_t crc, const unsigned char *p, uint64_t n);
