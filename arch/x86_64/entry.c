/* SPDX-License-Identifier: MIT
 * The registers behind the system-call entry. SYSENTER is legal only where it was chosen: its code segment is null
 * otherwise, and the instruction is a fault. SYSCALL stays on, since its check of the origin refuses all then. */
#include <arch/entry.h>

#include "arch/x86_64/asm.h"
#include "arch/x86_64/features.h"
#include "sys/lib/string.h"

#include <arch/cpu.h>
#include <arch/percpu.h>

extern char syscall_entry[], syscall_entry_hooked[];
extern char sysenter_entry[], sysenter_entry_hooked[], sysenter_entry_end[];
extern const char trap_stubs[];
extern const uint64_t entry_unsaved[][2], entry_unsaved_end[][2]; /* first address, and the one behind the last */

static bool sysenter; /* [I] */

bool entry_choose(enum entry_instruction instruction)
{
    const struct cpu_features *f = features_get();
    if (instruction == ENTRY_SYSENTER && (!f->sysenter || strcmp(f->vendor, "GenuineIntel") != 0))
        return false;
    sysenter = instruction == ENTRY_SYSENTER;
    entry_set_hooked(false);
    return true;
}

bool entry_is_sysenter(void)
{
    return sysenter;
}

bool entry_is_inside(uint64_t address)
{
    return address >= (uint64_t)sysenter_entry && address < (uint64_t)sysenter_entry_end;
}

bool entry_is_passage(uint64_t address)
{
    return address >= (uint64_t)syscall_entry && address < (uint64_t)trap_stubs;
}

bool entry_is_unsaved(uint64_t address)
{
    for (const uint64_t(*row)[2] = entry_unsaved; row < entry_unsaved_end; row++)
        if (address >= (*row)[0] && address < (*row)[1])
            return true;
    return false;
}

void entry_set_hooked(bool hooked)
{
    wrmsr(MSR_LSTAR, (uint64_t)(hooked ? syscall_entry_hooked : syscall_entry));
    wrmsr(MSR_SYSENTER_CS, sysenter ? SEL_KERNEL_CODE : 0);
    wrmsr(MSR_SYSENTER_ESP, this_cpu(percpu_head).stack_top);
    wrmsr(MSR_SYSENTER_EIP, (uint64_t)(hooked ? sysenter_entry_hooked : sysenter_entry));
}
