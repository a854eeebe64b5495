/* SPDX-License-Identifier: MIT
 * What the boot loader handed over, in one form for PVH and Multiboot2. Everything is copied, because the loader's
 * tables lie in memory that its own map calls usable. Modules stay where they are: the caller reserves `reserve[]`
 * before it gives frames out. Filled once on the boot CPU, read-only afterwards. */
#pragma once
#include <arch/memory.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mm/page.h"
#include "sys/abi/status.h"

#define BOOT_MODULES_MAX 8
#define BOOT_RESERVE_MAX (BOOT_MODULES_MAX + 4)
#define RSDP_BYTES_MAX 36

struct boot_module {
    paddr_t base; /* [base, base + bytes) is below the limit of boot_table_set_limit */
    uint64_t bytes;
    char cmdline[64];
};

struct boot_range {
    paddr_t base;
    uint64_t bytes;
};

struct boot_info {
    const char *protocol; /* "PVH" or "Multiboot2" */
    char loader[64];      /* empty under PVH, which does not tell */
    char cmdline[1024];
    bool cmdline_truncated;
    struct memory_map memory; /* count 0: none was given (PVH version 0: ask the hypervisor) */
    struct boot_module modules[BOOT_MODULES_MAX];
    bool initial_domain; /* Xen's dom0 */
    size_t module_count;
    struct boot_range reserve[BOOT_RESERVE_MAX]; /* modules, and the loader's own tables; may overlap */
    size_t reserve_count;
    paddr_t rsdp;                      /* 0: not given as an address */
    uint8_t rsdp_copy[RSDP_BYTES_MAX]; /* Multiboot2 gives the RSDP itself */
    size_t rsdp_copy_bytes;            /* 0, 20 or 36 */
    size_t refused;                    /* modules and tags dropped as malformed or too many; log it when not 0 */
};

/* Decodes the start_info at `start_info` (EBX at the PVH entry), any version. OUT_OF_RANGE if it is not in reach,
 * DATA_LOSS if the magic is wrong; *out is then untouched. Bad parts of a sound start_info are dropped and counted. */
enum status pvh_decode(paddr_t start_info, struct boot_info *out);

/* Decodes the Multiboot2 information at `info` (EBX; the caller has checked the magic in EAX). INVALID_ARGUMENT if it
 * is not 8-aligned, OUT_OF_RANGE if it is not in reach, DATA_LOSS if its size cannot be; *out is then untouched. Bad
 * tags are dropped and counted. */
enum status multiboot2_decode(paddr_t info, struct boot_info *out);

/* For the two decoders. Each takes one item in, or counts it as refused. */
void boot_info_add_memory(struct boot_info *info, paddr_t base, uint64_t bytes, uint32_t type);
struct boot_module *boot_info_add_module(struct boot_info *info, paddr_t base, uint64_t bytes); /* NULL if refused */
void boot_info_add_reserve(struct boot_info *info, paddr_t base, uint64_t bytes);

/* Copies the text at `from`, at most `available` bytes of it, and terminates it. False if it did not fit or has no end.
 * */
bool boot_text_copy(paddr_t from, uint64_t available, char *out, size_t out_bytes);
