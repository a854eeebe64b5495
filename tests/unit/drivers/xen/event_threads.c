/* SPDX-License-Identifier: MIT
 * Two threads play Xen on other processors: each raises a port of its own and waits until it was taken. An event that
 * is lost between flag, selector and port is never taken: the wait's limit tells. */
#include "drivers/xen/event.h"

#include "tests/unit/drivers/xen/played_cpu.h"

#include <arch/atomic.h>
#include <arch/cpu.h>
#include <arch/memory.h>
#include <arch/xen_hypercall.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define EVENTS 50000
#define PORT_A 3 /* both in one word */
#define PORT_B 4
#define YIELDS_MAX 20000000

static uint32_t interrupt; /* what the local APIC holds */
static uint64_t taken[3];  /* by kind */

long played_hypercall(unsigned int number, uint64_t first, uint64_t second, uint64_t third)
{
    (void)third;
    if (number == __HYPERVISOR_memory_op)
        shared = phys_to_virt(((struct xen_add_to_physmap *)second)->gpfn * PAGE_SIZE);
    if (number == __HYPERVISOR_event_channel_op && first == EVTCHNOP_bind_virq)
        ((struct evtchn_bind_virq *)second)->port = next_port;
    return 0;
}

/* As evtchn_2l_set_pending: each bit only if it was not set, and interrupts only if the flag was not. */
static void raise_port(uint32_t port)
{
    uint64_t bit = UINT64_C(1) << port % 64, word = UINT64_C(1) << port / 64;
    if (fetch_or_acqrel(&shared->evtchn_pending[port / 64], bit) & bit)
        return;
    if (fetch_or_acqrel(&info.evtchn_pending_sel, word) & word)
        return;
    if (xchg_acqrel(&info.evtchn_upcall_pending, 1) == 0)
        store_release(&interrupt, 1);
}

static void *play(void *argument)
{
    uint32_t kind = (uint32_t)(uintptr_t)argument;
    for (uint64_t i = 1; i <= EVENTS; i++) {
        raise_port(kind ? PORT_B : PORT_A);
        for (uint64_t n = 0; load_acquire(&taken[kind]) < i; n++) {
            if (n > YIELDS_MAX) {
                fprintf(stderr, "event %lu of kind %u was lost\n", i, kind);
                exit(1);
            }
            sched_yield();
        }
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[2];
    uint32_t got;
    test_phys_bytes = UINT64_MAX;
    if (!xen_event_init())
        return 1;
    next_port = PORT_A;
    (void)xen_event_bind_virq(0, XEN_EVENT_TIMER, &got);
    next_port = PORT_B;
    (void)xen_event_bind_virq(1, XEN_EVENT_WAKE, &got);
    for (uintptr_t i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, play, (void *)i);
    while (taken[0] < EVENTS || taken[1] < EVENTS) {
        if (!xchg_acqrel(&interrupt, 0)) {
            sched_yield();
            continue;
        }
        uint32_t events = xen_event_take();
        for (unsigned int kind = 0; kind < 2; kind++)
            if (events >> kind & 1)
                store_release(&taken[kind], taken[kind] + 1);
    }
    for (unsigned int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
