/* SPDX-License-Identifier: MIT
 * What does it cost to wake another CPU that halts and to be woken by it in turn: two interrupts, by whatever sends
 * them here (the APIC, KVM, an event channel), with nothing behind them. One way is half of it. An interrupt that is
 * lost is not survived: the limit of the run ends it. */
#include "perf/bench/kernel/measure.h"
#include "perf/bench/kernel/partner.h"
#include "sched/inbox.h"

#include <arch/control.h>
#include <arch/memory.h>
#include <arch/percpu.h>
#include <arch/platform.h>

static _Alignas(CACHE_LINE) uint64_t turn;   /* [a] even: CPU 0's, odd: CPU 1's, who adds one and wakes the other */
static _Alignas(CACHE_LINE) uint64_t rounds; /* [w] CPU 0, before CPU 1 begins */

/* A wake-up that comes before the HLT waits for it: interrupts are off in between. */
static void halt_until(uint64_t value)
{
    while (load_acquire(&turn) != value) /* pairs: ipi-turn */
        interrupts_halt();
}

static void hand_over(uint32_t cpu, uint64_t value)
{
    store_release(&turn, value); /* pairs: ipi-turn */
    platform.wake(cpu);
}

static void echo(void)
{
    for (uint64_t i = 1; i < 2 * rounds; i += 2) {
        halt_until(i);
        hand_over(0, i + 1);
    }
}

static void round_trip(void *argument)
{
    uint64_t now = load_relaxed(&turn); /* CPU 0's, so nobody else writes */
    (void)argument;
    hand_over(1, now + 1);
    halt_until(now + 2);
}

/* A wake-up makes the CPU seem to look at its inbox. It does so on its way back to the process, where the last one that
 * it sends to itself awaits it. */
static void measure_all(uint64_t *ticks, size_t count)
{
    int level = inbox_level();
    measure_loop(ticks, count, round_trip, NULL);
    inbox_set_level(level);
    platform.wake(0);
}

enum status measure_ipi(uint64_t *ticks, size_t count)
{
    store_relaxed(&turn, 0); /* before the message that begins CPU 1 */
    rounds = count;
    enum status s = partner_begin(1, echo);
    if (s != STATUS_OK)
        return s;
    measure_all(ticks, count);
    return partner_end(1);
}
