/* SPDX-License-Identifier: MIT
 * CRC-32 by eight tables. */
#include "sys/lib/crc32.h"

#define CRC32_POLYNOMIAL 0xedb88320u
#define CRC32_SLICES 8

/* table[s][b]: what byte b becomes after s more zero bytes. Filled on each check: 2048 entries cost less than the
 * lookups that they save on an image of two pages. */
static uint32_t table[CRC32_SLICES][256];

void crc32_begin(void)
{
    uint32_t crc = 1;
    for (uint32_t bit = 0x80; bit; bit >>= 1) {
        crc = (crc >> 1) ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
        for (uint32_t i = 0; i < 256; i += 2 * bit)
            table[0][i + bit] = crc ^ table[0][i];
    }
    for (uint32_t slice = 1; slice < CRC32_SLICES; slice++) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t before = table[slice - 1][i];
            table[slice][i] = (before >> 8) ^ table[0][before & 0xff];
        }
    }
}

/* Eight bytes at a time: the boot budget pays for each byte of the image. */
uint32_t crc32_update(uint32_t crc, const unsigned char *p, uint64_t n)
{
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word;
        __builtin_memcpy(&word, p, 8);
        word ^= crc;
        crc = table[7][word & 0xff] ^ table[6][(word >> 8) & 0xff] ^ table[5][(word >> 16) & 0xff] ^
              table[4][(word >> 24) & 0xff] ^ table[3][(word >> 32) & 0xff] ^ table[2][(word >> 40) & 0xff] ^
              table[1][(word >> 48) & 0xff] ^ table[0][word >> 56];
    }
    for (; n; p++, n--)
        crc = (crc >> 8) ^ table[0][(crc ^ *p) & 0xff];
    return crc;
}
