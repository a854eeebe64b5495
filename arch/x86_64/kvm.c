/* SPDX-License-Identifier: MIT
 * KVM's features. They are per CPU: three MSRs that each CPU writes when it starts. */
#include "arch/x86_64/kvm.h"

#include "arch/x86_64/features.h"
#include "arch/x86_64/steal.h"
#include "sys/abi/vvar.h"
#include "sys/lib/log.h"
#include "sys/lib/string.h"
#include "sys/lib/switches.h"

#include <arch/apic.h>
#include <arch/atomic.h>
#include <arch/cpu.h>
#include <arch/kvm_hypercall.h>
#include <arch/memory.h>
#include <arch/percpu.h>
#include <arch/platform.h>
#include <linux/kvm_para.h>

#define IPI_BITS 64                   /* CPUs in one word of a call */
#define INTEL_EXTENDED_MAX 0x80000008 /* Intel's CPUs have no leaf above it, AMD's have */
#define DEFAULT (~(1u << KVM_PV_UNHALT))

static const char *const names[KVM_SWITCH_COUNT] = {"steal",  "realtime",  "poll_control", "pv_eoi",
                                                    "pv_ipi", "pv_unhalt", "clock"};
uint8_t kvm_hypercall_amd;
static bool present;           /* [I] */
static uint32_t offered, used; /* [I] bits of enum kvm_switch */
static PERCPU_ZERO(uint32_t, eoi_word);

_Static_assert(sizeof(struct kvm_steal_time) == STEAL_AREA_BYTES, "an area is one of KVM's");

static void read_offered(void)
{
    static const struct {
        uint8_t bit, to;
    } map[] = {{KVM_FEATURE_STEAL_TIME, KVM_STEAL},    {KVM_FEATURE_POLL_CONTROL, KVM_POLL_CONTROL},
               {KVM_FEATURE_PV_EOI, KVM_PV_EOI},       {KVM_FEATURE_PV_SEND_IPI, KVM_PV_IPI},
               {KVM_FEATURE_PV_UNHALT, KVM_PV_UNHALT}, {KVM_FEATURE_CLOCKSOURCE2, KVM_CLOCK}};
    const struct cpu_features *f = features_get();
    offered = 0;
    present = !strcmp(f->hypervisor, "KVMKVMKVM");
    if (!present || f->hypervisor_max < f->hypervisor_base + 1)
        return;
    struct cpuid_regs r = cpuid(f->hypervisor_base + 1, 0);
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        offered |= (r.eax >> map[i].bit & 1) << map[i].to;
    offered |= (r.edx >> KVM_HINTS_REALTIME & 1) << KVM_REALTIME;
    /* The vendor may be made up (QEMU's vendor=), the number of leaves is not. */
    kvm_hypercall_amd = !strcmp(f->vendor, "AuthenticAMD") || !strcmp(f->vendor, "HygonGenuine") ||
                        f->extended_max > INTEL_EXTENDED_MAX;
}

bool kvm_choose(const char *text, bool guest_polls, const char **bad, size_t *bad_bytes)
{
    uint32_t wanted = DEFAULT;
    read_offered();
    if (!switches_parse(text, names, KVM_SWITCH_COUNT, &wanted, bad, bad_bytes))
        return false;
    used = offered & wanted & DEFAULT;
    if (!guest_polls)
        used &= ~(1u << KVM_POLL_CONTROL);
    if (present && wanted >> KVM_PV_UNHALT & 1)
        log_warn("kvm=+pv_unhalt: not used; a kick only ends a halt, and Tern's wake-ups must reach CPUs that run");
    return true;
}

bool kvm_is_used(enum kvm_switch s)
{
    return used >> s & 1;
}

bool kvm_is_present(void)
{
    return present;
}

const char *kvm_used_text(void)
{
    static char text[SWITCHES_TEXT_BYTES];
    return switches_text(text, sizeof text, names, KVM_SWITCH_COUNT, used, ",");
}

const char *kvm_offered_text(void)
{
    static char text[SWITCHES_TEXT_BYTES];
    return switches_text(text, sizeof text, names, KVM_SWITCH_COUNT, offered, ",");
}

const char *kvm_names_text(void)
{
    static char text[SWITCHES_TEXT_BYTES];
    return switches_text(text, sizeof text, names, KVM_SWITCH_COUNT, ~0u, ",");
}

/* KVM set the bit with the interrupt if it needs no end of it, and clears it if it came to need one. */
static bool eoi(void)
{
    uint32_t *word = this_cpu_ptr(eoi_word);
    return load_relaxed(word) & KVM_PV_EOI_MASK && xchg_acqrel(word, KVM_PV_EOI_DISABLED) & KVM_PV_EOI_MASK;
}

/* One call for each 64 APIC ids that has CPUs. False: KVM refuses; the CPUs that it did reach are stopped twice then.
 */
static bool send_window(uint32_t first, uint8_t vector)
{
    uint64_t bits = 0;
    for (uint32_t cpu = 0; cpu < CPU_MAX; cpu++) {
        if (cpu == cpu_index() || !percpu_offset(cpu))
            continue;
        uint32_t id = cpu_ptr(cpu, percpu_head)->apic_id; /* written before the CPU starts */
        if (id >= first && id - first < IPI_BITS)
            bits |= UINT64_C(1) << (id - first);
    }
    return !bits || kvm_hypercall(KVM_HC_SEND_IPI, bits, 0, first, vector) >= 0;
}

static bool send_others(uint8_t vector)
{
    uint32_t last = 0;
    for (uint32_t cpu = 0; cpu < CPU_MAX; cpu++)
        if (percpu_offset(cpu) && cpu_ptr(cpu, percpu_head)->apic_id > last)
            last = cpu_ptr(cpu, percpu_head)->apic_id;
    for (uint64_t first = 0; first <= last; first += IPI_BITS)
        if (!send_window((uint32_t)first, vector))
            return false;
    return true;
}

static bool activate(uint32_t cpu)
{
    if (kvm_is_used(KVM_STEAL))
        wrmsr(MSR_KVM_STEAL_TIME, virt_to_phys(steal_area(cpu)) | KVM_MSR_ENABLED);
    if (kvm_is_used(KVM_PV_EOI))
        wrmsr(MSR_KVM_PV_EOI_EN, virt_to_phys(this_cpu_ptr(eoi_word)) | KVM_MSR_ENABLED);
    if (kvm_is_used(KVM_POLL_CONTROL))
        wrmsr(MSR_KVM_POLL_CONTROL, 0);
    return true;
}

/* A wake-up of one CPU stays with the APIC: in x2APIC mode, which KVM always has, it is one MSR write, for which KVM
 * has a shorter way out and in again than for a call, or which needs no exit at all. */
void kvm_start(void)
{
    if (!present)
        return;
    log_info("KVM: in use: %s; offered: %s", kvm_used_text(), kvm_offered_text());
    if (kvm_is_used(KVM_STEAL))
        steal_set_offset(offsetof(struct kvm_steal_time, steal));
    activate(0);
    platform.activate = activate;
    platform.eoi = kvm_is_used(KVM_PV_EOI) ? eoi : NULL;
    platform.send_others = kvm_is_used(KVM_PV_IPI) ? send_others : NULL;
    if (platform.eoi || platform.send_others)
        apic_use_platform();
}
