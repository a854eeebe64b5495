/* SPDX-License-Identifier: MIT
 * The bound for all boot tables, and the scan of the BIOS areas that the RSDP and the MP table share. The scan does not
 * look at the memory map: microvm keeps its MP table in a KiB that its own map calls reserved. */
#include "arch/x86_64/boot_table.h"

enum {
    BDA_EBDA_SEGMENT = 0x40e,
    BDA_BASE_MEMORY_KIB = 0x413,
    BASE_MEMORY_END = 0xa0000, /* adapter memory follows: reading it can have side effects */
    AREA_BYTES = 1024,
    ROM_BASE = 0xe0000,
    ROM_BYTES = 0x20000,
    STEP = 16, /* both structures are 16-byte aligned by their specifications */
};

static paddr_t boot_limit = UINT64_C(1) << 32;

void boot_table_set_limit(paddr_t limit)
{
    boot_limit = limit;
}

const uint8_t *boot_table_at(paddr_t at, uint64_t bytes)
{
    if (at == 0 || bytes == 0 || at >= boot_limit || bytes > boot_limit - at)
        return NULL;
    return phys_to_virt(at);
}

uint8_t boot_table_sum(const uint8_t *from, size_t bytes)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < bytes; i++)
        sum += from[i];
    return (uint8_t)sum;
}

static bool area_find(paddr_t base, uint64_t bytes, const char *signature, bool (*accept)(paddr_t at))
{
    const size_t length = strlen(signature);
    const uint8_t *area = boot_table_at(base, bytes);
    if (!area)
        return false;
    for (uint64_t i = 0; i + STEP <= bytes; i += STEP) {
        if (area[i] == (uint8_t)signature[0] && memcmp(area + i, signature, length) == 0 && accept(base + i))
            return true;
    }
    return false;
}

/* One KiB at `base`, if it lies in base memory above the interrupt vectors and the BIOS data area. */
static bool kib_find(paddr_t base, const char *signature, bool (*accept)(paddr_t at))
{
    if (base < AREA_BYTES || base > BASE_MEMORY_END - AREA_BYTES)
        return false;
    return area_find(base, AREA_BYTES, signature, accept);
}

static uint16_t bda_word(paddr_t at)
{
    const uint8_t *word = boot_table_at(at, sizeof(uint16_t));
    return word ? load_le16(word) : 0;
}

bool boot_table_find(const char *signature, bool (*accept)(paddr_t at))
{
    const paddr_t ebda = (paddr_t)bda_word(BDA_EBDA_SEGMENT) << 4;
    const paddr_t base_end = (paddr_t)bda_word(BDA_BASE_MEMORY_KIB) * AREA_BYTES;
    const paddr_t last = BASE_MEMORY_END - AREA_BYTES;

    /* The BIOS data area can be empty (qboot, Xen PVH), hence `last` whatever it says; base_end 0 wraps and is refused.
     * */
    return kib_find(ebda, signature, accept) || kib_find(base_end - AREA_BYTES, signature, accept) ||
           kib_find(last, signature, accept) || area_find(ROM_BASE, ROM_BYTES, signature, accept);
}
