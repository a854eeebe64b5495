/* SPDX-License-Identifier: MIT
 * The message of a wake. */
#include "ipc/wake.h"

#include "sched/inbox.h"

static void run_wake(const struct inbox_message *m)
{
    struct wake *w = (struct wake *)m->word[0];
    (void)xchg_acqrel(&w->announced, 0); /* pairs: wake-announce */
    w->run(w);
}

void wake_ring_now(struct wake *w)
{
    const struct inbox_message m = {run_wake, {(uint64_t)w}};
    if (!xchg_acqrel(&w->announced, 1)) /* pairs: wake-announce */
        inbox_send(w->cpu, &m, w->priority);
}
