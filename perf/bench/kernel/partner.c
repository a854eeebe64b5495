/* SPDX-License-Identifier: MIT
 * One word says how many calls are over there. */
#include "perf/bench/kernel/partner.h"

#include "sched/inbox.h"
#include "sched/thread.h"

#include <arch/atomic.h>
#include <arch/clock.h>
#include <arch/cpu.h>

#define LIMIT_NS UINT64_C(1000000000)

static uint64_t begun; /* [w] calls, by CPU 0 */
static uint64_t ended; /* [a] */

static void run_call(const struct inbox_message *m)
{
    void (*f)(void) = (void (*)(void))m->word[0];
    f();
    store_release(&ended, m->word[1]); /* pairs: partner */
}

enum status partner_begin(void (*f)(void))
{
    if (cpu_index() != 0 || !percpu_offset(PARTNER_CPU))
        return STATUS_FAILED_PRECONDITION;
    const struct inbox_message m = {run_call, {(uint64_t)f, ++begun}};
    inbox_send(PARTNER_CPU, &m, THREAD_PRIORITIES - 1);
    return STATUS_OK;
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

enum status partner_call(void (*f)(void))
{
    enum status s = partner_begin(f);
    if (s == STATUS_OK && !partner_wait(&ended, begun))
        s = STATUS_DEADLINE_EXCEEDED;
    return s;
}
