/* SPDX-License-Identifier: MIT
 * CPUID leaves of Xen and the hypercall page. Xen writes the page when its address is written to an MSR of its choice.
 */
#include "drivers/xen/domain.h"

#include "arch/x86_64/features.h"
#include "drivers/xen/abi.h"
#include <arch/xen_hypercall.h>
#include "sys/lib/string.h"

#include <arch/cpu.h>
#include <arch/memory.h>
#include <arch/percpu.h>

static struct xen_domain domain = {.id = DOMID_SELF}; /* [I] */

/* Before the CPU has an area of its own it is the boot CPU. */
uint32_t xen_vcpu_id(void)
{
    const bool told = domain.hvm_features & XEN_HVM_CPUID_VCPU_ID_PRESENT;
    return told ? cpuid(domain.base + 4, 0).ebx : cpu_index();
}

static void read_leaves(const struct cpu_features *f)
{
    domain.base = f->hypervisor_base;
    domain.version = cpuid(domain.base + 1, 0).eax;
    if (f->hypervisor_max < domain.base + 4)
        return;
    struct cpuid_regs r = cpuid(domain.base + 4, 0);
    domain.hvm_features = r.eax;
    if (r.eax & XEN_HVM_CPUID_DOMID_PRESENT)
        domain.id = r.ecx;
}

void xen_detect(void)
{
    const struct cpu_features *f = features_get();
    if (strcmp(f->hypervisor, "XenVMMXenVMM") != 0 || f->hypervisor_max < f->hypervisor_base + 2)
        return;
    struct cpuid_regs r = cpuid(f->hypervisor_base + 2, 0);
    if (!r.eax) /* no page to be written: no PVH or HVM guest that this kernel knows */
        return;
    read_leaves(f);
    wrmsr(r.ebx, virt_to_phys(xen_hypercall_page));
    domain.present = true;
}

void xen_set_initial(bool initial)
{
    domain.initial = initial;
}

const struct xen_domain *xen_domain_get(void)
{
    return &domain;
}

bool xen_param_get(uint32_t index, uint64_t *value)
{
    struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};
    long r = xen_hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, &p, 0);
    *value = p.value;
    return r == 0;
}
