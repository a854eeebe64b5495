/* SPDX-License-Identifier: MIT
 * Per-CPU areas, and the descriptor tables that live in them: GDT, TSS with its interrupt stacks. The boot CPU uses the
 * template itself (GS base 0) until its own area exists. */
#include <arch/percpu.h>

#include "arch/x86_64/asm.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/trap.h"
#include "mm/page.h"
#include "sys/lib/panic.h"
#include "sys/lib/string.h"

#include <arch/control.h>
#include <arch/cpu.h>
#include <arch/entry.h>

#define IST_STACK_BYTES (2 * PAGE_SIZE)

extern char percpu_start[], percpu_end[];

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7]; /* IST 1 .. 7 */
    uint64_t reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed));

struct descriptors {
    uint64_t gdt[7];
    struct tss tss;
};

__attribute__((section(".percpu.head"), aligned(64))) struct percpu_head percpu_head;
static PERCPU(struct descriptors, descriptors);
static uint64_t offsets[CPU_MAX]; /* [I] after the CPU started */

uint64_t percpu_offset(uint32_t cpu)
{
    return offsets[cpu];
}

static void descriptors_fill(struct descriptors *d, uint64_t stack_top)
{
    uint64_t tss = (uint64_t)&d->tss, limit = sizeof(struct tss) - 1;
    d->gdt[1] = 0x00af9b000000ffff; /* kernel code */
    d->gdt[2] = 0x00cf93000000ffff; /* kernel data */
    d->gdt[3] = 0x00cff3000000ffff; /* user data */
    d->gdt[4] = 0x00affb000000ffff; /* user code */
    d->gdt[5] = limit | (tss & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (tss >> 24 & 0xff) << 56;
    d->gdt[6] = tss >> 32;
    d->tss.rsp[0] = stack_top;
    d->tss.io_map = sizeof(struct tss);
    for (unsigned int i = IST_NMI; i <= IST_MACHINE_CHECK; i++)
        d->tss.ist[i - 1] = (uint64_t)paging_guarded_stack(IST_STACK_BYTES);
}

void percpu_create(uint32_t cpu)
{
    size_t bytes = (size_t)(percpu_end - percpu_start);
    paddr_t p;
    panic_if(cpu >= CPU_MAX || page_alloc((bytes + PAGE_SIZE - 1) / PAGE_SIZE, PAGE_SIZE, &p) != STATUS_OK);
    char *area = phys_to_virt(p);
    memcpy(area, percpu_start, bytes);
    offsets[cpu] = (uint64_t)area - (uint64_t)percpu_start;
    struct percpu_head *head = cpu_ptr(cpu, percpu_head);
    head->cpu = cpu;
    head->gs_offset = offsets[cpu];
    head->stack_top = (uint64_t)paging_guarded_stack(KERNEL_STACK_BYTES);
    descriptors_fill(cpu_ptr(cpu, descriptors), head->stack_top);
}

void percpu_activate(uint32_t cpu)
{
    wrmsr(MSR_GS_BASE, offsets[cpu]);
    wrmsr(MSR_KERNEL_GS_BASE, 0);
    struct descriptors *d = this_cpu_ptr(descriptors);
    struct table_pointer pointer = {sizeof(d->gdt) - 1, (uint64_t)d->gdt};
    gdt_load(&pointer);
    code_segment_load(SEL_KERNEL_CODE);
    task_register_load(SEL_TSS);
    trap_activate();
    wrmsr(MSR_STAR, STAR_VALUE);
    wrmsr(MSR_SFMASK, SYSCALL_FLAG_MASK);
    entry_set_hooked(false);
}
