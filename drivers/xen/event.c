/* SPDX-License-Identifier: MIT
 * The two-level event channels. Xen sets a port's bit, then the bit of its word in the CPU's selector, then the upcall
 * flag, then interrupts. The CPU goes the other way: flag, selector, ports. Whatever is set after the CPU looked at its
 * level raises the flag again, and the loop looks at that last. A bit is taken by one locked AND, so it is neither lost
 * nor taken twice; other CPUs' ports in the same word are left alone. */
#include "drivers/xen/event.h"

#include "arch/x86_64/asm.h"
#include "drivers/xen/abi.h"
#include "drivers/xen/cpu.h"
#include "drivers/xen/domain.h"
#include <arch/xen_hypercall.h>

#include <arch/atomic.h>
#include <arch/memory.h>
#include <arch/percpu.h>

#define PORT_WORDS (XEN_PORTS_MAX / 64)

static struct shared_info shared __attribute__((aligned(4096)));
_Static_assert(sizeof(struct shared_info) <= 4096, "one page is mapped");

struct ports {
    uint64_t words[PORT_WORDS]
                  [XEN_EVENT_KINDS]; /* [o] after boot: ports of this CPU, by kind: bit number of enum xen_event */
};
static PERCPU_ZERO(struct ports, ports);
static bool by_apic; /* [I] */

bool xen_event_init(void)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .idx = 0, .gpfn = virt_to_phys(&shared) / PAGE_SIZE};
    return xen_hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map, 0) == 0;
}

static bool set_own_vector(void)
{
    struct xen_hvm_evtchn_upcall_vector v = {.vcpu = xen_vcpu_id(), .vector = VECTOR_UPCALL};
    return xen_hypercall(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &v, 0) == 0;
}

static bool set_domain_vector(void)
{
    struct xen_hvm_param p = {.domid = DOMID_SELF,
                              .index = HVM_PARAM_CALLBACK_IRQ,
                              .value = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | VECTOR_UPCALL};
    return xen_hypercall(__HYPERVISOR_hvm_op, HVMOP_set_param, &p, 0) == 0;
}

bool xen_event_activate(void)
{
    if (cpu_index() == 0)
        by_apic = xen_domain_get()->hvm_features & XEN_HVM_CPUID_UPCALL_VECTOR;
    return by_apic ? set_own_vector() : cpu_index() != 0 || set_domain_vector();
}

static unsigned int kind_index(enum xen_event kind)
{
    return (unsigned int)__builtin_ctz((unsigned int)kind);
}

static enum status adopt(uint32_t port, enum xen_event kind)
{
    struct evtchn_unmask unmask = {.port = port};
    if (port == 0 || port >= XEN_PORTS_MAX)
        return STATUS_RESOURCE_EXHAUSTED;
    this_cpu_ptr(ports)->words[port / 64][kind_index(kind)] |= UINT64_C(1) << port % 64;
    return xen_hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_unmask, &unmask, 0) == 0 ? STATUS_OK
                                                                                          : STATUS_NOT_FOUND;
}

enum status xen_event_bind_virq(uint32_t virq, enum xen_event kind, uint32_t *port)
{
    struct evtchn_bind_virq bind = {.virq = virq, .vcpu = xen_vcpu_id()};
    if (xen_hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &bind, 0) != 0)
        return STATUS_NOT_FOUND;
    *port = bind.port;
    return adopt(bind.port, kind);
}

enum status xen_event_bind_ipi(uint32_t *port)
{
    struct evtchn_bind_ipi bind = {.vcpu = xen_vcpu_id()};
    if (xen_hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, &bind, 0) != 0)
        return STATUS_NOT_FOUND;
    *port = bind.port;
    return adopt(bind.port, XEN_EVENT_WAKE);
}

enum status xen_event_adopt(uint32_t port)
{
    return adopt(port, XEN_EVENT_DEVICE);
}

void xen_event_send(uint32_t port)
{
    struct evtchn_send send = {.port = port};
    (void)xen_hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send, 0);
}

/* The pending ports of one word that are this CPU's and of one kind; they are taken. */
static bool take_kind(uint64_t *pending, uint64_t mine)
{
    uint64_t found = load_relaxed(pending) & mine;
    if (found)
        (void)fetch_and_acqrel(pending, ~found);
    return found;
}

static uint32_t take_word(unsigned int word)
{
    const struct ports *p = this_cpu_ptr(ports);
    uint32_t taken = 0;
    for (unsigned int kind = 0; word < PORT_WORDS && kind < XEN_EVENT_KINDS; kind++)
        if (take_kind(&shared.evtchn_pending[word], p->words[word][kind]))
            taken |= 1u << kind;
    return taken;
}

uint32_t xen_event_take(void)
{
    struct vcpu_info *v = xen_vcpu_info();
    uint32_t taken = 0;
    do {
        store_relaxed(&v->evtchn_upcall_pending, 0);
        for (uint64_t words = xchg_acqrel(&v->evtchn_pending_sel, 0); words; words &= words - 1)
            taken |= take_word((unsigned int)__builtin_ctzll(words));
    } while (load_acquire(&v->evtchn_upcall_pending));
    return taken;
}

bool xen_event_needs_eoi(void)
{
    return by_apic;
}
