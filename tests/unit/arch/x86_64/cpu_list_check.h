/* SPDX-License-Identifier: MIT
 * What must hold of a cpu_list whatever the bytes were that it was decoded from. */
#pragma once
#include "tests/unit/arch/x86_64/boot_window.h"

#include "arch/x86_64/cpu_list.h"
#include "sys/abi/status.h"

static inline void cpu_list_check(const struct cpu_list *list, enum status status, const char *source)
{
    must(strcmp(list->source, status == STATUS_OK ? source : "none") == 0);
    must((status == STATUS_OK) == (list->count > 0));
    must(list->count <= CPU_LIST_MAX);
    must(list->ioapic_count <= CPU_LIST_IOAPICS_MAX);
    must(list->override_count <= CPU_LIST_OVERRIDES_MAX);
    must(list->lapic_base != 0 && list->lapic_base % PAGE_SIZE == 0);
    for (size_t i = 0; i < list->count; i++) {
        must(list->apic_ids[i] != APIC_ID_NONE);
        for (size_t j = 0; j < i; j++)
            must(list->apic_ids[i] != list->apic_ids[j]);
    }
    if (status != STATUS_OK)
        must(list->disabled + list->online_capable + list->refused + list->ioapic_count + list->override_count == 0);
}
