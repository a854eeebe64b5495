/* SPDX-License-Identifier: MIT
 * Limits of the list of CPUs: what does not fit or cannot be is counted, never stored. A CPU reported twice, as a local
 * APIC and as an x2APIC, is one CPU. Boot CPU only. */
#include "arch/x86_64/cpu_list.h"

#include "sys/lib/string.h"

void cpu_list_init(struct cpu_list *list, const char *source)
{
    memset(list, 0, sizeof *list);
    list->source = source;
    list->lapic_base = LAPIC_BASE_DEFAULT;
}

void cpu_list_add(struct cpu_list *list, uint32_t apic_id)
{
    size_t i = 0;
    while (i < list->count && list->apic_ids[i] != apic_id)
        i++;
    if (i < list->count || i == CPU_LIST_MAX || apic_id == APIC_ID_NONE) {
        list->refused++;
        return;
    }
    list->apic_ids[list->count++] = apic_id;
}

void cpu_list_add_ioapic(struct cpu_list *list, struct ioapic_info ioapic)
{
    if (list->ioapic_count == CPU_LIST_IOAPICS_MAX || ioapic.address == 0) {
        list->refused++;
        return;
    }
    list->ioapics[list->ioapic_count++] = ioapic;
}

void cpu_list_add_override(struct cpu_list *list, struct irq_override override)
{
    if (list->override_count == CPU_LIST_OVERRIDES_MAX) {
        list->refused++;
        return;
    }
    list->overrides[list->override_count++] = override;
}

void cpu_list_set_lapic(struct cpu_list *list, paddr_t base)
{
    if (base == 0 || base % PAGE_SIZE != 0) {
        list->refused++;
        return;
    }
    list->lapic_base = base;
}

static uint16_t flags_of(const struct cpu_list *list, uint32_t gsi)
{
    for (size_t i = 0; i < list->override_count; i++)
        if (list->overrides[i].gsi == gsi)
            return list->overrides[i].flags;
    return gsi < ISA_IRQS ? IRQ_ACTIVE_HIGH | IRQ_EDGE : IRQ_ACTIVE_LOW | IRQ_LEVEL;
}

bool cpu_list_is_level(const struct cpu_list *list, uint32_t gsi)
{
    return (flags_of(list, gsi) & IRQ_TRIGGER) == IRQ_LEVEL;
}

bool cpu_list_is_active_low(const struct cpu_list *list, uint32_t gsi)
{
    return (flags_of(list, gsi) & IRQ_POLARITY) == IRQ_ACTIVE_LOW;
}
