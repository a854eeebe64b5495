/* SPDX-License-Identifier: MIT
 * One word for each CPU says how many calls are over there. */
#include "perf/bench/kernel/partner.h"

#include "sched/inbox.h"
#include "sched/thread.h"

#include <arch/atomic.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/percpu.h>

#define LIMIT_NS UINT64_C(10000000000)

static uint64_t begun[CPU_MAX]; /* [w] calls, by CPU 0 */
static uint64_t ended[CPU_MAX]; /* [a] */

static void run_call(const struct inbox_message *m)
{
    void (*f)(void) = (void (*)(void))m->word[0];
    f();
    store_release(&ended[cpu_index()], m->word[1]); /* pairs: partner */
}

enum status partner_begin(uint32_t cpu, void (*f)(void))
{
    if (cpu_index() != 0 || cpu == 0 || cpu >= CPU_MAX || !percpu_offset(cpu))
        return STATUS_FAILED_PRECONDITION;
    const struct inbox_message m = {run_call, {(uint64_t)f, ++begun[cpu]}};
    inbox_send(cpu, &m, THREAD_PRIORITIES - 1);
    return STATUS_OK;
}

enum status partner_end(uint32_t cpu)
{
    return partner_wait(&ended[cpu], begun[cpu]) ? STATUS_OK : STATUS_DEADLINE_EXCEEDED;
}

bool partner_is_busy(uint32_t cpu)
{
    return load_acquire(&ended[cpu]) != begun[cpu]; /* pairs: partner */
}

enum status partner_call(uint32_t cpu, void (*f)(void))
{
    enum status s = partner_begin(cpu, f);
    return s == STATUS_OK ? partner_end(cpu) : s;
}

bool partner_wait(const uint64_t *word, uint64_t value)
{
    for (uint64_t since = clock_now_ns(); load_acquire(word) != value;) { /* pairs: partner */
        if (clock_now_ns() - since > LIMIT_NS)
            return false;
        cpu_pause();
    }
    return true;
}
