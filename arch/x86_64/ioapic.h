/* SPDX-License-Identifier: MIT
 * IO-APICs: which vector of which CPU an interrupt line raises. Lines have one number over all IO-APICs, the global
 * system interrupt (GSI). A register is reached by writing its index and then its data, two steps that must not
 * interleave: so only the boot CPU calls any of this, with interrupts off, and it is the only CPU that ever touches an
 * IO-APIC (sys/line.c: other CPUs ask by message). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "arch/x86_64/cpu_list.h"
#include "sys/abi/status.h"

/* Takes in the list's IO-APICs, with every line masked. `list` stays valid. What cannot be one, or has the lines of one
 * before, is logged and left out. Once, after page tables are the kernel's own. */
void ioapic_init(const struct cpu_list *list);

/* Some IO-APIC has this line. */
bool ioapic_has(uint32_t gsi);

/* The line is level-triggered: it is there for as long as the device wants something. */
bool ioapic_is_level(uint32_t gsi);

/* The line will raise `vector` on the CPU with this APIC id; it is masked. NOT_FOUND: no IO-APIC has it; OUT_OF_RANGE:
 * the id is past 254 and no IO-APIC can name it. */
enum status ioapic_route(uint32_t gsi, uint8_t vector, uint32_t apic_id);

/* Of a line that was routed. A level-triggered one that is still there when it is unmasked is raised again; an edge
 * that comes while its line is masked is lost. */
void ioapic_mask(uint32_t gsi);
void ioapic_unmask(uint32_t gsi);
