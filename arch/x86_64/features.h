/* SPDX-License-Identifier: MIT
 * What this CPU offers and which hypervisor it runs under, read once from CPUID. Leaves are read only below the
 * reported maximum: beyond it some hypervisors return another leaf's data. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct cpu_features {
    bool mce, sysenter, smep, smap, umip, pcid, x2apic, tsc_deadline, tsc_invariant;
    uint32_t basic_max;            /* highest basic leaf */
    uint32_t extended_max;         /* highest leaf from 0x80000000 on */
    uint32_t signature;            /* leaf 1 EAX: family, model, stepping */
    uint32_t physical_bits;        /* of an address; a page-table entry with more is a fault */
    uint32_t leaf7_ebx, leaf7_edx; /* 0 without leaf 7 */
    uint32_t leaf7_max;            /* its highest subleaf */
    uint32_t hypervisor_base;      /* 0 without a hypervisor; Xen's or KVM's base when there are several */
    uint32_t hypervisor_max;       /* highest leaf of that range */
    char hypervisor[13];           /* signature, e.g. "KVMKVMKVM", "XenVMMXenVMM", "TCGTCGTCGTCG" */
    char vendor[13];
    char brand[49];
};

/* Reads CPUID; first thing on the boot CPU. */
void features_init(void);
const struct cpu_features *features_get(void);
