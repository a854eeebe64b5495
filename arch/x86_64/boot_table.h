/* SPDX-License-Identifier: MIT
 * Bounded reading of physical memory that firmware, a boot loader or a hypervisor filled. Every decoder of a boot table
 * (PVH, Multiboot2, ACPI, MP table) reaches memory through boot_table_at and nothing else, so one bound holds for all.
 * Nothing here allocates, logs or trusts an address. Boot CPU only. */
#pragma once
#include <arch/memory.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/lib/string.h"

/* Nothing at or above `limit` is read; everything below must be in the direct map. 4 GiB until this is called. */
void boot_table_set_limit(paddr_t limit);

/* Physical [at, at + bytes) for reading. NULL if `at` is 0 (how all these formats say "absent"), `bytes` is 0, or the
 * range passes the limit. */
const uint8_t *boot_table_at(paddr_t at, uint64_t bytes);

/* Sum of the bytes modulo 256: 0 for a sound ACPI or MP structure. */
uint8_t boot_table_sum(const uint8_t *from, size_t bytes);

/* The first 16-byte aligned place in the BIOS areas that starts with `signature` and that `accept` takes; false if
 * there is none. Areas: first KiB of the EBDA, last KiB of base memory, 0x9fc00, 0xe0000-0xfffff. */
bool boot_table_find(const char *signature, bool (*accept)(paddr_t at));

/* Little-endian fields at any alignment. The builtin is one load; the function would be a call in freestanding code. */
static inline uint16_t load_le16(const uint8_t *from)
{
    uint16_t v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}
static inline uint32_t load_le32(const uint8_t *from)
{
    uint32_t v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}
static inline uint64_t load_le64(const uint8_t *from)
{
    uint64_t v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}
