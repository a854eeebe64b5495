/* SPDX-License-Identifier: MIT
 * Xen writes a CPU's words only while that CPU does not run the code below, so a reader sees a version change only if
 * it was interrupted; the wait is bounded all the same. */
#include "drivers/xen/cpu.h"

#include "arch/x86_64/asm.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/smp.h"
#include "arch/x86_64/steal.h"
#include "drivers/xen/abi.h"
#include "drivers/xen/domain.h"
#include "drivers/xen/event.h"
#include "sys/abi/vvar.h"

#include <arch/atomic.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/memory.h>
#include <arch/percpu.h>
#include <arch/platform.h>
#include <arch/xen_hypercall.h>
#include <stddef.h>

#define READ_TRIES 1000
#define DELAY_MAX_NS UINT64_C(1000000000) /* fires early then, and is armed again */
#define APIC_IDS_PER_VCPU 2 /* Xen gives vCPU n the APIC id 2 n; the CPU that comes is asked for its own */

/* The first is 64 bytes on a line of its own, hence within a page, as Xen wants it. */
static PERCPU_ZERO(struct vcpu_info, info);
static PERCPU_ZERO(uint32_t, vcpu);
static PERCPU_ZERO(uint32_t, wake_port); /* [I] read by all */
static bool counts_stolen;               /* [I] after boot */
_Static_assert(sizeof(struct vcpu_runstate_info) <= STEAL_AREA_BYTES, "an area holds it");

struct vcpu_info *xen_vcpu_info(void)
{
    return this_cpu_ptr(info);
}

/* Ticks to nanoseconds by Xen's factor. */
static uint64_t scale(uint64_t ticks, uint32_t mul, int8_t shift)
{
    ticks = shift < 0 ? ticks >> (-shift & 63) : ticks << (shift & 63);
    return (uint64_t)(((unsigned __int128)ticks * mul) >> 32);
}

uint64_t xen_clock_ns(void)
{
    const struct vcpu_time_info *t = &this_cpu_ptr(info)->time;
    uint64_t ns = 0;
    for (unsigned int i = 0; i < READ_TRIES; i++) {
        uint32_t version = load_acquire(&t->version);
        ns = t->system_time + scale(cpu_rdtsc() - t->tsc_timestamp, t->tsc_to_system_mul, t->tsc_shift);
        compiler_barrier();
        if (!(version & 1) && load_acquire(&t->version) == version)
            break;
    }
    return ns;
}

void xen_timer_arm(uint64_t ns)
{
    uint64_t now = clock_now_ns(), delay = ns > now ? ns - now : 0;
    struct vcpu_set_singleshot_timer timer = {.timeout_abs_ns =
                                                  xen_clock_ns() + (delay < DELAY_MAX_NS ? delay : DELAY_MAX_NS)};
    (void)xen_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, this_cpu(vcpu), &timer);
}

void xen_cpu_wake(uint32_t cpu)
{
    xen_event_send(*cpu_ptr(cpu, wake_port)); /* remote look: written before the CPU was released */
}

static bool register_words(void)
{
    paddr_t at = virt_to_phys(this_cpu_ptr(info));
    struct vcpu_register_vcpu_info r = {.mfn = at / PAGE_SIZE, .offset = (uint32_t)(at % PAGE_SIZE)};
    return xen_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, this_cpu(vcpu), &r) == 0;
}

static bool register_runstate(void)
{
    struct vcpu_register_runstate_memory_area r = {.addr.v = steal_area(cpu_index())};
    return xen_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, this_cpu(vcpu), &r) == 0;
}

bool xen_cpu_count_stolen(void)
{
    counts_stolen = register_runstate();
    if (counts_stolen)
        steal_set_offset(offsetof(struct vcpu_runstate_info, time[RUNSTATE_runnable]));
    return counts_stolen;
}

bool xen_cpu_activate(uint32_t cpu)
{
    uint32_t timer_port;
    (void)cpu;
    this_cpu(vcpu) = xen_vcpu_id();
    if (counts_stolen)
        (void)register_runstate(); /* its area stays 0 otherwise: no time was stolen that anybody knows of */
    return register_words() && xen_event_activate() &&
           xen_event_bind_virq(VIRQ_TIMER, XEN_EVENT_TIMER, &timer_port) == STATUS_OK &&
           xen_event_bind_ipi(this_cpu_ptr(wake_port)) == STATUS_OK;
}

/* Straight into long mode with the kernel's own tables, where the start-up IPI's way ends too (ap_high). */
bool xen_cpu_start(uint32_t cpu, uint32_t apic_id)
{
    uint32_t id = apic_id / APIC_IDS_PER_VCPU;
    struct vcpu_hvm_context context = {.mode = VCPU_HVM_MODE_64B,
                                       .cpu_regs.x86_64 = {.rip = (uint64_t)ap_high,
                                                           .rflags = RFLAGS_FIXED,
                                                           .cr0 = CR0_PG | CR0_PE | CR0_WP | CR0_NE | CR0_MP,
                                                           .cr3 = paging_root,
                                                           .cr4 = CR4_PAE,
                                                           .efer = EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE}};
    (void)cpu;
    return xen_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_initialise, id, &context) == 0 &&
           xen_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_up, id, 0) == 0;
}

void xen_cpu_stop(uint32_t apic_id)
{
    (void)xen_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_down, apic_id / APIC_IDS_PER_VCPU, 0);
}
