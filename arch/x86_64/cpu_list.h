/* SPDX-License-Identifier: MIT
 * The CPUs and interrupt controllers that firmware tables report, whichever table it was. Order is the table's own; the
 * boot CPU is somewhere among them, and can be missing from a bad table. Filled once on the boot CPU. */
#pragma once
#include <arch/memory.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPU_LIST_MAX 64
#define CPU_LIST_IOAPICS_MAX 8
#define CPU_LIST_OVERRIDES_MAX 16
#define LAPIC_BASE_DEFAULT UINT64_C(0xfee00000)
#define APIC_ID_NONE UINT32_MAX /* the id that reaches all CPUs: no CPU has it */

struct ioapic_info {
    uint32_t id;
    uint32_t gsi_base;
    paddr_t address;
};

/* The firmware says something about `gsi`: ISA interrupt `source` arrives there, or how its line behaves. `flags`:
 * IRQ_POLARITY and IRQ_TRIGGER, of which 0 is what the ISA bus has. An MP table knows the PCI bus too; its lines come
 * with flags. */
#define IRQ_POLARITY 0x3u
#define IRQ_ACTIVE_HIGH 0x1u
#define IRQ_ACTIVE_LOW 0x3u
#define IRQ_TRIGGER 0xcu
#define IRQ_EDGE 0x4u
#define IRQ_LEVEL 0xcu
#define ISA_IRQS 16 /* interrupts below are the ISA bus's, those above PCI's, unless the firmware says otherwise */

struct irq_override {
    uint8_t source;
    uint16_t flags;
    uint32_t gsi;
};

struct cpu_list {
    const char *source; /* "MADT", "MP table", or "none": then everything else is empty */
    uint32_t apic_ids[CPU_LIST_MAX];
    size_t count;
    size_t disabled;       /* entries that firmware marked unusable */
    size_t online_capable; /* may be hot-plugged later: not started at boot */
    size_t refused;        /* past a maximum, duplicate, reserved id, malformed entry */
    paddr_t lapic_base;    /* 4 KiB aligned, never 0 */
    struct ioapic_info ioapics[CPU_LIST_IOAPICS_MAX];
    size_t ioapic_count;
    struct irq_override overrides[CPU_LIST_OVERRIDES_MAX];
    size_t override_count;
};

/* Empties the list and names its source. */
void cpu_list_init(struct cpu_list *list, const char *source);

/* Each takes one item in, or counts it as refused. */
void cpu_list_add(struct cpu_list *list, uint32_t apic_id);
void cpu_list_add_ioapic(struct cpu_list *list, struct ioapic_info ioapic);
void cpu_list_add_override(struct cpu_list *list, struct irq_override override);
void cpu_list_set_lapic(struct cpu_list *list, paddr_t base);

/* Whether the line is level-triggered, active low: by the first override for it, or by its number. */
bool cpu_list_is_level(const struct cpu_list *list, uint32_t gsi);
bool cpu_list_is_active_low(const struct cpu_list *list, uint32_t gsi);
