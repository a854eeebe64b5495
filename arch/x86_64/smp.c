/* SPDX-License-Identifier: MIT
 * A started CPU makes itself known, then spins until smp_release: by then its inbox, threads and timer exist. */
#include "arch/x86_64/smp.h"

#include "arch/x86_64/asm.h"
#include "arch/x86_64/features.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/speculation.h"
#include "ipc/oneshot.h"
#include "sys/lib/log.h"
#include "sys/lib/panic.h"
#include "sys/lib/string.h"

#include <arch/apic.h>
#include <arch/atomic.h>
#include <arch/clock.h>
#include <arch/control.h>
#include <arch/percpu.h>
#include <arch/platform.h>
#include <stdbool.h>

#define TRAMPOLINE_PAGE 0x8000
#define INIT_SETTLE_NS 10000      /* between INIT and the start-up IPI; modern CPUs and all guests need next to none */
#define SECOND_STARTUP_NS 2000000 /* no sign of life by now: some want the start-up IPI twice */
#define START_LIMIT_NS 500000000
#define PROMISED_LIMIT_NS UINT64_C(5000000000) /* the hypervisor has said that it comes; only a busy host keeps it */
#define SKEW_ROUNDS 8
#define XAPIC_ID_MAX 254
#define SKEW_LIMIT_NS 100000000

ONESHOT_DEFINE(cpu_arrival, uint64_t) /* the APIC id of a CPU that has come */

extern const char ap_trampoline[], ap_trampoline_end[];
extern void enter_user(void);
void ap_main(void);

uint64_t ap_stack_top;    /* read by ap_boot.S */
static uint32_t starting; /* [w] index of the CPU that is being started */
static struct cpu_arrival arrival;
static uint32_t skew_turn; /* [a] even: the boot CPU's, odd: the started CPU's; 2 * SKEW_ROUNDS: over */
static uint64_t skew_tsc;  /* [w] whoever's turn it is: its time stamp */
static uint64_t skew_most; /* [w] whoever's turn it is: the largest step backwards seen, in ticks */
static bool released;      /* [a] */

/* The CPU with this APIC id has reached C; one that was given up and comes late after all is told so by its send. */
static bool wait_started(uint32_t apic_id, uint64_t limit_ns)
{
    uint64_t since = clock_now_ns(), who = 0;
    while (cpu_arrival_try_recv(&arrival, &who) != STATUS_OK || who != apic_id) {
        if (clock_now_ns() - since > limit_ns)
            return false;
        cpu_pause();
    }
    return true;
}

/* Both CPUs take turns: a time stamp that is older than the one just handed over shows by how much the counters differ.
 */
static void skew_measure(uint32_t mine)
{
    uint64_t since = clock_now_ns();
    for (uint32_t turn = mine; turn < 2 * SKEW_ROUNDS; turn += 2) {
        while (load_acquire(&skew_turn) != turn) { /* pairs: skew-turn */
            if (clock_now_ns() - since > SKEW_LIMIT_NS)
                return;
            cpu_pause();
        }
        uint64_t now = cpu_rdtsc_ordered();
        if (now < skew_tsc && skew_tsc - now > skew_most)
            skew_most = skew_tsc - now;
        skew_tsc = now;
        store_release(&skew_turn, turn + 1); /* pairs: skew-turn */
    }
}

uint64_t smp_tsc_skew(void)
{
    return skew_most;
}

static bool start_one(uint32_t cpu, uint32_t apic_id)
{
    if (!percpu_offset(cpu))
        percpu_create(cpu);
    cpu_ptr(cpu, percpu_head)->apic_id = apic_id;
    ap_stack_top = cpu_ptr(cpu, percpu_head)->stack_top;
    store_release(&starting, cpu);
    cpu_arrival_init(&arrival);
    if (platform.start && platform.start(cpu, apic_id))
        return wait_started(apic_id, PROMISED_LIMIT_NS) || oneshot_receiver_drop(&arrival.oneshot);
    apic_send_init(apic_id);
    for (uint64_t since = clock_now_ns(); clock_now_ns() - since < INIT_SETTLE_NS;)
        cpu_pause();
    apic_send_startup(apic_id, TRAMPOLINE_PAGE);
    if (wait_started(apic_id, SECOND_STARTUP_NS))
        return true;
    apic_send_startup(apic_id, TRAMPOLINE_PAGE);
    return wait_started(apic_id, START_LIMIT_NS) || oneshot_receiver_drop(&arrival.oneshot); /* or it came just now */
}

/* Should it still come: off, or back to waiting for a start-up that never follows. */
static void give_up(uint32_t apic_id)
{
    if (platform.stop)
        platform.stop(apic_id);
    apic_send_init(apic_id);
}

uint32_t smp_start(const struct cpu_list *list, uint32_t limit)
{
    uint32_t running = 1, self = apic_id();
    memcpy(phys_to_virt(TRAMPOLINE_PAGE), ap_trampoline, (size_t)(ap_trampoline_end - ap_trampoline));
    for (size_t i = 0; i < list->count && running < limit; i++) {
        if (list->apic_ids[i] == self)
            continue;
        if (list->apic_ids[i] > XAPIC_ID_MAX && !features_get()->x2apic) {
            log_warn("CPU with APIC id %u cannot be reached without x2APIC", list->apic_ids[i]);
            continue;
        }
        if (start_one(running, list->apic_ids[i])) {
            skew_measure(0);
            running++;
            continue;
        }
        give_up(list->apic_ids[i]);
        log_warn("CPU with APIC id %u did not start in time; going on without it", list->apic_ids[i]);
    }
    return running;
}

void smp_release(void)
{
    store_release(&released, true); /* pairs: cpu-release */
}

void ap_main(void)
{
    uint32_t cpu = load_acquire(&starting);
    paging_activate();
    percpu_activate(cpu);
    apic_activate();
    speculation_activate();
    if (platform.activate && !platform.activate(cpu))
        cpu_stop(); /* as one that never came */
    const uint64_t me = apic_id();
    skew_turn = 0;
    skew_tsc = 0;
    if (cpu_arrival_send(&arrival, &me) != STATUS_OK)
        cpu_stop(); /* given up */
    skew_measure(1);
    while (!load_acquire(&released)) /* pairs: cpu-release */
        cpu_pause();
    enter_user();
}
