/* SPDX-License-Identifier: MIT
 * A played Xen sets bits in the shared page as the two-level interface says; what the CPU takes, and what it leaves. */
#include "drivers/xen/event.h"

#include "tests/unit/drivers/xen/played_cpu.h"

#include <arch/memory.h>
#include <arch/xen_hypercall.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

static long refuse; /* what a refused call gives */
static unsigned int refused_call;
static uint64_t callback, upcall_vector;

static long event_op(uint64_t command, void *argument)
{
    if (command == EVTCHNOP_bind_virq)
        ((struct evtchn_bind_virq *)argument)->port = next_port;
    else if (command == EVTCHNOP_bind_ipi)
        ((struct evtchn_bind_ipi *)argument)->port = next_port;
    return 0;
}

long played_hypercall(unsigned int number, uint64_t first, uint64_t second, uint64_t third)
{
    (void)third;
    if (refuse && number == refused_call)
        return refuse;
    if (number == __HYPERVISOR_event_channel_op)
        return event_op(first, (void *)second);
    if (number == __HYPERVISOR_memory_op)
        shared = phys_to_virt(((struct xen_add_to_physmap *)second)->gpfn * PAGE_SIZE);
    if (number == __HYPERVISOR_hvm_op && first == HVMOP_set_param)
        callback = ((struct xen_hvm_param *)second)->value;
    if (number == __HYPERVISOR_hvm_op && first == HVMOP_set_evtchn_upcall_vector)
        upcall_vector = ((struct xen_hvm_evtchn_upcall_vector *)second)->vector;
    return 0;
}

static void setup(void)
{
    test_phys = NULL; /* physical addresses are the host's */
    test_phys_base = 0;
    test_phys_bytes = UINT64_MAX;
    cr_assert(xen_event_init());
}

static void bind(uint32_t port, enum xen_event kind, uint32_t virq)
{
    uint32_t got = 0;
    next_port = port;
    enum status s = kind == XEN_EVENT_WAKE ? xen_event_bind_ipi(&got) : xen_event_bind_virq(virq, kind, &got);
    cr_assert(eq(int, (int)s, 0));
    cr_assert(eq(u32, got, port));
}

static void raise_port(uint32_t port)
{
    shared->evtchn_pending[port / 64] |= UINT64_C(1) << port % 64;
    info.evtchn_pending_sel |= UINT64_C(1) << port / 64;
    info.evtchn_upcall_pending = 1;
}

TestSuite(xen_event, .init = setup);

Test(xen_event, takes_each_kind_once)
{
    bind(3, XEN_EVENT_TIMER, VIRQ_TIMER);
    bind(70, XEN_EVENT_WAKE, 0);
    cr_assert(eq(int, (int)xen_event_adopt(511), 0));
    raise_port(3);
    raise_port(70);
    raise_port(511);
    cr_assert(eq(u32, xen_event_take(), XEN_EVENT_TIMER | XEN_EVENT_WAKE | XEN_EVENT_DEVICE));
    cr_assert(eq(u32, xen_event_take(), 0));
    raise_port(70);
    cr_assert(eq(u32, xen_event_take(), XEN_EVENT_WAKE));
    cr_assert(eq(u8, info.evtchn_upcall_pending, 0));
}

Test(xen_event, leaves_other_cpus_ports_alone)
{
    bind(3, XEN_EVENT_TIMER, VIRQ_TIMER);
    raise_port(4); /* another CPU's, in the same word */
    raise_port(3);
    cr_assert(eq(u32, xen_event_take(), XEN_EVENT_TIMER));
    cr_assert(eq(u64, shared->evtchn_pending[0], UINT64_C(1) << 4));
}

Test(xen_event, selector_beyond_the_table_is_harmless)
{
    info.evtchn_pending_sel = UINT64_MAX;
    info.evtchn_upcall_pending = 1;
    cr_assert(eq(u32, xen_event_take(), 0));
}

Test(xen_event, ports_that_do_not_fit_are_refused)
{
    uint32_t got;
    next_port = XEN_PORTS_MAX;
    cr_assert(eq(int, (int)xen_event_bind_ipi(&got), STATUS_RESOURCE_EXHAUSTED));
    cr_assert(eq(int, (int)xen_event_adopt(0), STATUS_RESOURCE_EXHAUSTED));
}

Test(xen_event, refusals_are_told)
{
    uint32_t got;
    refuse = -22;
    refused_call = __HYPERVISOR_event_channel_op;
    cr_assert(eq(int, (int)xen_event_bind_virq(VIRQ_TIMER, XEN_EVENT_TIMER, &got), STATUS_NOT_FOUND));
    refused_call = __HYPERVISOR_memory_op;
    cr_assert(not(xen_event_init()));
    refused_call = __HYPERVISOR_hvm_op;
    cr_assert(not(xen_event_activate()));
}

Test(xen_event, own_vector_only_where_xen_has_it)
{
    cr_assert(xen_event_activate());
    cr_assert(not(xen_event_needs_eoi()));
    cr_assert(eq(u64, callback >> 56, HVM_PARAM_CALLBACK_TYPE_VECTOR));
    domain.hvm_features = XEN_HVM_CPUID_UPCALL_VECTOR;
    cr_assert(xen_event_activate());
    cr_assert(xen_event_needs_eoi());
    cr_assert(eq(u64, upcall_vector, callback & 0xff));
}
