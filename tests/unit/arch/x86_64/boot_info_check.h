/* SPDX-License-Identifier: MIT
 * What must hold of a boot_info whatever the bytes were that it was decoded from. */
#pragma once
#include "tests/unit/arch/x86_64/boot_window.h"

#include "arch/x86_64/boot_info.h"

static inline void boot_info_check(const struct boot_info *info)
{
    must(memchr(info->cmdline, 0, sizeof info->cmdline));
    must(memchr(info->loader, 0, sizeof info->loader));
    must(info->module_count <= BOOT_MODULES_MAX);
    must(info->memory.count <= MEMORY_RANGES_MAX);
    must(info->reserve_count <= BOOT_RESERVE_MAX && info->reserve_count >= 1 + info->module_count);
    must(info->rsdp_copy_bytes == 0 || info->rsdp_copy_bytes == 20 || info->rsdp_copy_bytes == RSDP_BYTES_MAX);
    for (size_t i = 0; i < info->module_count; i++) {
        const struct boot_module *m = &info->modules[i];
        must(m->base != 0 && m->bytes != 0 && m->base < test_phys_bytes && m->bytes <= test_phys_bytes - m->base);
        must(memchr(m->cmdline, 0, sizeof m->cmdline));
    }
    for (size_t i = 0; i < info->memory.count; i++) {
        const struct memory_range *r = &info->memory.ranges[i];
        must(r->bytes != 0 && r->base <= UINT64_MAX - r->bytes);
    }
}

/* Is [base, base + bytes) inside one of the ranges to reserve? */
static inline bool boot_info_reserves(const struct boot_info *info, paddr_t base, uint64_t bytes)
{
    for (size_t i = 0; i < info->reserve_count; i++) {
        const struct boot_range *r = &info->reserve[i];
        if (base >= r->base && base + bytes <= r->base + r->bytes)
            return true;
    }
    return false;
}
