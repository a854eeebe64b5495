/* SPDX-License-Identifier: MIT
 * CPUID, read once by the boot CPU. All CPUs of a guest are alike, so the others take the same answer. */
#include "arch/x86_64/features.h"

#include "sys/lib/string.h"

#include <arch/cpu.h>

#define PHYSICAL_BITS_MAX 52 /* what a page-table entry has room for */

static struct cpu_features features; /* [I] */

static void put_words(char *out, uint32_t a, uint32_t b, uint32_t c)
{
    memcpy(out, &a, 4);
    memcpy(out + 4, &b, 4);
    memcpy(out + 8, &c, 4);
}

/* Hypervisors may sit at any 0x100 step, several at once (Xen or KVM behind Hyper-V leaves): the native one wins. */
static void read_hypervisor(void)
{
    for (uint32_t base = 0x40000000; base < 0x40010000; base += 0x100) {
        struct cpuid_regs r = cpuid(base, 0);
        char signature[13] = {0};
        put_words(signature, r.ebx, r.ecx, r.edx);
        bool native = !strcmp(signature, "KVMKVMKVM") || !strcmp(signature, "XenVMMXenVMM");
        if (!native && features.hypervisor_base)
            continue;
        if (!native && base != 0x40000000)
            continue;
        features.hypervisor_base = base;
        features.hypervisor_max = r.eax < base ? base + 1 : r.eax; /* old KVM reports 0 */
        memcpy(features.hypervisor, signature, sizeof(signature));
        if (native)
            return;
    }
}

static void read_brand(void)
{
    if (features.extended_max < 0x80000004)
        return;
    for (uint32_t i = 0; i < 3; i++) {
        struct cpuid_regs r = cpuid(0x80000002 + i, 0);
        memcpy(features.brand + 16 * i, &r, 16);
    }
}

void features_init(void)
{
    struct cpuid_regs r = cpuid(0, 0);
    features.basic_max = r.eax;
    put_words(features.vendor, r.ebx, r.edx, r.ecx);
    r = cpuid(1, 0);
    features.signature = r.eax;
    features.mce = r.edx >> 7 & 1;
    features.sysenter = r.edx >> 11 & 1;
    features.pcid = r.ecx >> 17 & 1;
    features.x2apic = r.ecx >> 21 & 1;
    features.tsc_deadline = r.ecx >> 24 & 1;
    if (r.ecx >> 31 & 1)
        read_hypervisor();
    if (features.basic_max >= 7) {
        r = cpuid(7, 0);
        features.leaf7_max = r.eax;
        features.leaf7_ebx = r.ebx;
        features.leaf7_edx = r.edx;
        features.smep = r.ebx >> 7 & 1;
        features.smap = r.ebx >> 20 & 1;
        features.umip = r.ecx >> 2 & 1;
    }
    features.extended_max = cpuid(0x80000000, 0).eax;
    if (features.extended_max >= 0x80000007)
        features.tsc_invariant = cpuid(0x80000007, 0).edx >> 8 & 1;
    features.physical_bits = features.extended_max >= 0x80000008 ? cpuid(0x80000008, 0).eax & 0xff : 36;
    if (features.physical_bits > PHYSICAL_BITS_MAX)
        features.physical_bits = PHYSICAL_BITS_MAX;
    read_brand();
}

const struct cpu_features *features_get(void)
{
    return &features;
}
