/* SPDX-License-Identifier: MIT
 * Port and memory-mapped I/O. Host tests replace this header by tests/unit/include/arch/io.h. */
#pragma once
#include <stdint.h>

static inline void io_out8(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}
static inline void io_out16(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}
static inline void io_out32(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port));
}
static inline uint8_t io_in8(uint16_t port)
{
    uint8_t v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline uint16_t io_in16(uint16_t port)
{
    uint16_t v;
    __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline uint32_t io_in32(uint16_t port)
{
    uint32_t v;
    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint8_t mmio_read8(const void *base, uint32_t offset)
{
    return *(const volatile uint8_t *)((const char *)base + offset);
}
static inline uint16_t mmio_read16(const void *base, uint32_t offset)
{
    return *(const volatile uint16_t *)((const char *)base + offset);
}
static inline uint32_t mmio_read32(const void *base, uint32_t offset)
{
    return *(const volatile uint32_t *)((const char *)base + offset);
}
static inline void mmio_write8(void *base, uint32_t offset, uint8_t v)
{
    *(volatile uint8_t *)((char *)base + offset) = v;
}
static inline void mmio_write16(void *base, uint32_t offset, uint16_t v)
{
    *(volatile uint16_t *)((char *)base + offset) = v;
}
static inline void mmio_write32(void *base, uint32_t offset, uint32_t v)
{
    *(volatile uint32_t *)((char *)base + offset) = v;
}
