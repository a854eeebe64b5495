/* SPDX-License-Identifier: MIT
 * The parts of boot_info that both protocols fill the same way: items with their limits, and bounded text. Boot CPU
 * only. */
#include "arch/x86_64/boot_info.h"

#include "arch/x86_64/boot_table.h"

void boot_info_add_memory(struct boot_info *info, paddr_t base, uint64_t bytes, uint32_t type)
{
    struct memory_map *map = &info->memory;
    if (bytes == 0 || base > UINT64_MAX - bytes || map->count == MEMORY_RANGES_MAX) {
        map->refused++;
        return;
    }
    map->ranges[map->count++] = (struct memory_range){.base = base, .bytes = bytes, .type = type};
}

void boot_info_add_reserve(struct boot_info *info, paddr_t base, uint64_t bytes)
{
    if (bytes == 0 || info->reserve_count == BOOT_RESERVE_MAX)
        return;
    info->reserve[info->reserve_count++] = (struct boot_range){.base = base, .bytes = bytes};
}

struct boot_module *boot_info_add_module(struct boot_info *info, paddr_t base, uint64_t bytes)
{
    if (info->module_count == BOOT_MODULES_MAX || !boot_table_at(base, bytes)) {
        info->refused++;
        return NULL;
    }
    struct boot_module *module = &info->modules[info->module_count++];
    *module = (struct boot_module){.base = base, .bytes = bytes};
    boot_info_add_reserve(info, base, bytes);
    return module;
}

bool boot_text_copy(paddr_t from, uint64_t available, char *out, size_t out_bytes)
{
    for (size_t i = 0; i < out_bytes; i++) {
        const uint8_t *c = i < available ? boot_table_at(from + i, 1) : NULL;
        out[i] = c ? (char)*c : '\0';
        if (out[i] == '\0')
            return c != NULL;
    }
    out[out_bytes - 1] = '\0';
    return false;
}
