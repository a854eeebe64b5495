/* SPDX-License-Identifier: MIT
 * Decodes what Xen, QEMU, Cloud Hypervisor and Firecracker pass to a PVH kernel: start_info and what it points to. The
 * layouts are Xen's own header. Address 0 means absent everywhere. QEMU's microvm counts an all-zero entry at the end
 * of its memory map; it is dropped like any empty range. */
#include <stdint.h>
#include <xen/xen.h>

#include <xen/arch-x86/hvm/start_info.h>

#include "arch/x86_64/boot_info.h"
#include "arch/x86_64/boot_table.h"

/* Version 0 ends where the memory map fields begin. */
#define START_INFO_V0_BYTES offsetof(struct hvm_start_info, memmap_paddr)

_Static_assert(sizeof(struct hvm_start_info) == 56, "start_info layout");
_Static_assert(START_INFO_V0_BYTES == 40, "start_info version 0 layout");
_Static_assert(sizeof(struct hvm_modlist_entry) == 32, "module entry layout");
_Static_assert(sizeof(struct hvm_memmap_table_entry) == 24, "memory map entry layout");

static void memory_decode(const struct hvm_start_info *start, struct boot_info *out)
{
    /* A count of 2^32 must not cost 2^32 steps, so what cannot be kept is not looked at. */
    const uint32_t kept = start->memmap_entries < MEMORY_RANGES_MAX ? start->memmap_entries : MEMORY_RANGES_MAX;
    out->memory.refused = start->memmap_entries - kept;
    uint32_t i = 0;
    for (; i < kept; i++) {
        struct hvm_memmap_table_entry entry;
        const uint8_t *from = boot_table_at(start->memmap_paddr + i * sizeof entry, sizeof entry);
        if (!from) {
            out->memory.refused += kept - i;
            break;
        }
        memcpy(&entry, from, sizeof entry);
        boot_info_add_memory(out, entry.addr, entry.size, entry.type);
    }
    boot_info_add_reserve(out, start->memmap_paddr, i * sizeof(struct hvm_memmap_table_entry));
}

static void modules_decode(const struct hvm_start_info *start, struct boot_info *out)
{
    const uint32_t kept = start->nr_modules < BOOT_MODULES_MAX ? start->nr_modules : BOOT_MODULES_MAX;
    out->refused += start->nr_modules - kept;
    uint32_t i = 0;
    for (; i < kept; i++) {
        struct hvm_modlist_entry entry;
        const uint8_t *from = boot_table_at(start->modlist_paddr + i * sizeof entry, sizeof entry);
        if (!from) {
            out->refused += kept - i;
            break;
        }
        memcpy(&entry, from, sizeof entry);
        struct boot_module *module = boot_info_add_module(out, entry.paddr, entry.size);
        if (module)
            (void)boot_text_copy(entry.cmdline_paddr, UINT64_MAX, module->cmdline, sizeof module->cmdline);
    }
    boot_info_add_reserve(out, start->modlist_paddr, i * sizeof(struct hvm_modlist_entry));
}

static enum status start_info_read(paddr_t at, struct hvm_start_info *out)
{
    const uint8_t *from = boot_table_at(at, START_INFO_V0_BYTES);
    if (!from)
        return STATUS_OUT_OF_RANGE;
    *out = (struct hvm_start_info){0};
    memcpy(out, from, START_INFO_V0_BYTES);
    if (out->magic != XEN_HVM_START_MAGIC_VALUE)
        return STATUS_DATA_LOSS;
    if (out->version == 0)
        return STATUS_OK;
    from = boot_table_at(at, sizeof *out);
    if (!from)
        return STATUS_OUT_OF_RANGE;
    memcpy(out, from, sizeof *out);
    return STATUS_OK;
}

enum status pvh_decode(paddr_t start_info, struct boot_info *out)
{
    struct hvm_start_info start;
    const enum status status = start_info_read(start_info, &start);
    if (status != STATUS_OK)
        return status;

    memset(out, 0, sizeof *out);
    out->protocol = "PVH";
    out->rsdp = start.rsdp_paddr;
    out->initial_domain = start.flags & SIF_INITDOMAIN;
    boot_info_add_reserve(out, start_info, start.version == 0 ? START_INFO_V0_BYTES : sizeof start);
    if (start.cmdline_paddr) {
        out->cmdline_truncated = !boot_text_copy(start.cmdline_paddr, UINT64_MAX, out->cmdline, sizeof out->cmdline);
        boot_info_add_reserve(out, start.cmdline_paddr, strlen(out->cmdline));
    }
    memory_decode(&start, out);
    modules_decode(&start, out);
    return STATUS_OK;
}
