/* SPDX-License-Identifier: MIT
 * Host stand-in: the test plays the devices. It provides whichever of these functions the code under test calls. */
#pragma once
#include <stdint.h>

void io_out8(uint16_t port, uint8_t v);
void io_out16(uint16_t port, uint16_t v);
void io_out32(uint16_t port, uint32_t v);
uint8_t io_in8(uint16_t port);
uint16_t io_in16(uint16_t port);
uint32_t io_in32(uint16_t port);

uint8_t mmio_read8(const void *base, uint32_t offset);
uint16_t mmio_read16(const void *base, uint32_t offset);
uint32_t mmio_read32(const void *base, uint32_t offset);
void mmio_write8(void *base, uint32_t offset, uint8_t v);
void mmio_write16(void *base, uint32_t offset, uint16_t v);
void mmio_write32(void *base, uint32_t offset, uint32_t v);
