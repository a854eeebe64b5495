/* SPDX-License-Identifier: MIT
 * Xen's word on this guest's memory. */
#pragma once
#include "arch/x86_64/boot_info.h"
#include "sys/abi/status.h"

/* Adds the memory map that Xen keeps for this domain: start_info version 0, which dom0 gets, has none. Entries past
 * what fits are counted as refused. UNAVAILABLE if Xen gives none. Boot CPU, before page_init. */
enum status xen_memory_map(struct boot_info *boot);
