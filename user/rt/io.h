/* SPDX-License-Identifier: MIT
 * I/O ports and device memory, for drivers. A process may touch what its image gives it by `memory_mappings`, of type
 * "ports" and of type "device" (handles.h has the addresses); anything else ends the process. Each access to a port is
 * a fault that the kernel answers, some hundred cycles; device memory is mapped, uncached. */
#pragma once
#include <stdint.h>

static inline void port_out8(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}
static inline void port_out16(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}
static inline void port_out32(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port));
}
static inline uint8_t port_in8(uint16_t port)
{
    uint8_t v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline uint16_t port_in16(uint16_t port)
{
    uint16_t v;
    __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline uint32_t port_in32(uint16_t port)
{
    uint32_t v;
    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint8_t device_read8(uint64_t address)
{
    return *(const volatile uint8_t *)address;
}
static inline uint32_t device_read32(uint64_t address)
{
    return *(const volatile uint32_t *)address;
}
static inline void device_write8(uint64_t address, uint8_t v)
{
    *(volatile uint8_t *)address = v;
}
static inline void device_write32(uint64_t address, uint32_t v)
{
    *(volatile uint32_t *)address = v;
}
