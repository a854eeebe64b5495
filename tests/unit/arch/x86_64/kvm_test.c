/* SPDX-License-Identifier: MIT
 * KVM played by the test: CPUID, MSRs and calls. A leaf above the announced ones, or an MSR that was not offered, fails
 * the test: in a guest they would be another leaf's data, and an exception. */
#include "arch/x86_64/kvm.h"

#include "arch/x86_64/features.h"
#include "arch/x86_64/steal.h"
#include "sys/abi/vvar.h"
#include "tests/unit/cpus/cpus.h"

#include <arch/apic.h>
#include <arch/cpu.h>
#include <arch/kvm_hypercall.h>
#include <arch/memory.h>
#include <arch/percpu.h>
#include <arch/platform.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/kvm_para.h>
#include <string.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

#define ALL                                                                                                            \
    (1u << KVM_FEATURE_STEAL_TIME | 1u << KVM_FEATURE_POLL_CONTROL | 1u << KVM_FEATURE_PV_EOI |                        \
     1u << KVM_FEATURE_PV_SEND_IPI | 1u << KVM_FEATURE_PV_UNHALT | 1u << KVM_FEATURE_CLOCKSOURCE2)
enum { BASE = 0x40000100, CPUS = 3, VECTOR = 0xf2 };

static struct cpu_features features;
static uint32_t leaf_eax, leaf_edx;
static uint64_t steal_msr, eoi_msr, poll_msr;
static unsigned wrmsrs, asked;
static struct {
    uint64_t number, low, high, first, vector;
} calls[8];
static unsigned call_count;
static long call_result;

const struct cpu_features *features_get(void)
{
    return &features;
}

struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    cr_assert(leaf == BASE + 1 && leaf <= features.hypervisor_max, "leaf %#x was not announced", leaf);
    return (struct cpuid_regs){.eax = leaf_eax, .edx = leaf_edx};
}

void wrmsr(uint32_t msr, uint64_t value)
{
    const uint64_t none = UINT64_MAX;
    wrmsrs++;
    if (msr == MSR_KVM_STEAL_TIME && leaf_eax >> KVM_FEATURE_STEAL_TIME & 1)
        steal_msr = value & KVM_STEAL_RESERVED_MASK ? none : value;
    else if (msr == MSR_KVM_PV_EOI_EN && leaf_eax >> KVM_FEATURE_PV_EOI & 1)
        eoi_msr = value & 2 ? none : value;
    else if (msr == MSR_KVM_POLL_CONTROL && leaf_eax >> KVM_FEATURE_POLL_CONTROL & 1)
        poll_msr = value;
    else
        cr_fatal("MSR %#x was not offered", msr);
}

long kvm_hypercall(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    cr_assert(call_count < 8);
    calls[call_count].number = number;
    calls[call_count].low = a;
    calls[call_count].high = b;
    calls[call_count].first = c;
    calls[call_count++].vector = d;
    return call_result;
}

void apic_use_platform(void)
{
    asked++;
}

static void begin(uint32_t eax, uint32_t edx)
{
    cpus_create(CPUS);
    test_phys = NULL; /* physical addresses are the host's */
    test_phys_base = 0;
    test_phys_bytes = UINT64_MAX;
    leaf_eax = eax;
    leaf_edx = edx;
    poll_msr = 1;
    features = (struct cpu_features){.hypervisor_base = BASE, .hypervisor_max = BASE + 1, .extended_max = 0x80000008};
    strcpy(features.hypervisor, "KVMKVMKVM");
    strcpy(features.vendor, "GenuineIntel");
}

static void choose(const char *text, bool polls)
{
    const char *bad;
    size_t n;
    cr_assert(kvm_choose(text, polls, &bad, &n));
    kvm_start();
}

Test(kvm, all_that_is_offered_is_used)
{
    begin(ALL, 1u << KVM_HINTS_REALTIME);
    choose(NULL, true);
    cr_assert_str_eq(kvm_used_text(), "steal,realtime,poll_control,pv_eoi,pv_ipi,clock");
    cr_assert_str_eq(kvm_offered_text(), "steal,realtime,poll_control,pv_eoi,pv_ipi,pv_unhalt,clock");
    cr_assert(eq(u64, steal_msr, (uint64_t)steal_area(0) | KVM_MSR_ENABLED));
    cr_assert(eq(u64, poll_msr, 0));
    cr_assert(eq(u32, steal_offset(), 0));
    cr_assert(eq(uint, asked, 1));
    const uint64_t first = eoi_msr;
    cpu_become(2);
    cr_assert(platform.activate(2));
    cr_assert(eq(u64, steal_msr, (uint64_t)steal_area(2) | KVM_MSR_ENABLED));
    cr_assert(ne(u64, eoi_msr, first), "each CPU has its own word");
}

Test(kvm, nothing_elsewhere)
{
    const char *bad = NULL;
    size_t n = 0;
    begin(ALL, 1);
    strcpy(features.hypervisor, "TCGTCGTCGTCG");
    features.hypervisor_max = 0;
    choose("all", true);
    cr_assert_str_eq(kvm_offered_text(), "none");
    cr_assert(not(kvm_is_present()));
    cr_assert(eq(u32, steal_offset(), VVAR_NO_STEAL));
    cr_assert(eq(uint, wrmsrs + asked, 0));
    cr_assert(not(kvm_choose("+steel", true, &bad, &n)), "a bad name is refused all the same");
    cr_assert(n == 5 && !strncmp(bad, "steel", n));
}

/* Without the leaf of features, CPUID gives another leaf's data. */
Test(kvm, leaf_is_missing)
{
    begin(ALL, 1);
    features.hypervisor_max = BASE;
    choose("all", true);
    cr_assert_str_eq(kvm_offered_text(), "none");
    cr_assert(kvm_is_present());
    cr_assert(eq(uint, wrmsrs, 0));
}

Test(kvm, not_offered_is_not_used)
{
    begin(1u << KVM_FEATURE_PV_EOI | ~(uint32_t)ALL, ~1u);
    choose("all", true);
    cr_assert_str_eq(kvm_used_text(), "pv_eoi");
    cr_assert(eq(uint, wrmsrs, 1));
    cr_assert_null(platform.send_others);
}

Test(kvm, switched_off)
{
    begin(ALL, 0);
    choose("none,+clock", true);
    cr_assert_str_eq(kvm_used_text(), "clock");
    cr_assert(eq(uint, wrmsrs + asked, 0));
    cr_assert(eq(u32, steal_offset(), VVAR_NO_STEAL));
}

Test(kvm, unhalt_is_never_used)
{
    begin(ALL, 0);
    choose("none,+pv_unhalt", true);
    cr_assert_str_eq(kvm_used_text(), "none");
}

Test(kvm, host_polls_for_a_guest_that_does_not)
{
    begin(ALL, 0);
    choose(NULL, false);
    cr_assert(eq(u64, poll_msr, 1));
    cr_assert(not(kvm_is_used(KVM_POLL_CONTROL)));
}

Test(kvm, end_of_interrupt)
{
    begin(ALL, 0);
    choose(NULL, true);
    uint32_t *word = (uint32_t *)(eoi_msr & ~(uint64_t)KVM_MSR_ENABLED);
    cr_assert(not(platform.eoi()), "the APIC has to be told");
    *word = KVM_PV_EOI_ENABLED;
    cr_assert(platform.eoi());
    cr_assert(eq(u32, *word, 0), "KVM sees by it that the interrupt is over");
    cr_assert(not(platform.eoi()));
}

Test(kvm, interrupt_to_the_others)
{
    begin(ALL, 0);
    choose(NULL, true);
    const uint32_t ids[CPUS] = {0, 3, 200};
    for (uint32_t cpu = 0; cpu < CPUS; cpu++)
        cpu_ptr(cpu, percpu_head)->apic_id = ids[cpu];
    cr_assert(platform.send_others(VECTOR));
    cr_assert(eq(uint, call_count, 2), "none for ids without a CPU");
    cr_assert(calls[0].number == KVM_HC_SEND_IPI && calls[0].low == 1 << 3 && !calls[0].first);
    cr_assert(calls[1].low == 1 << 8 && calls[1].first == 192 && !calls[1].high && calls[1].vector == VECTOR);
    call_result = -1;
    cr_assert(not(platform.send_others(VECTOR)), "then the APIC does it");
}

Test(kvm, instruction_of_the_maker)
{
    begin(ALL, 0);
    choose(NULL, true);
    cr_assert(eq(u8, kvm_hypercall_amd, 0));
    features.extended_max = 0x8000000a; /* an AMD CPU that is told to say Intel */
    choose(NULL, true);
    cr_assert(eq(u8, kvm_hypercall_amd, 1));
    features.extended_max = 0x80000008;
    strcpy(features.vendor, "HygonGenuine");
    choose(NULL, true);
    cr_assert(eq(u8, kvm_hypercall_amd, 1));
}
