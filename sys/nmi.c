/* SPDX-License-Identifier: MIT
 * Each CPU counts its own. No NMI follows before the IRET of the last one, so one word of address is enough. */
#include "sys/nmi.h"

#include "arch/x86_64/symbols.h"
#include "arch/x86_64/trap.h"
#include "sched/process.h"
#include "sched/thread.h"
#include "sys/lib/log.h"
#include "sys/sampler.h"

#include <arch/control.h>
#include <arch/percpu.h>

struct nmi {
    uint64_t in_user, in_kernel;
    uint64_t last; /* kernel address that the last one in the kernel hit */
};

static PERCPU_ZERO(struct nmi, nmi); /* [o] */
static bool panics, samples;         /* [I] */

void nmi_set(bool on_panic, bool on_sample)
{
    panics = on_panic;
    samples = on_sample;
}

void nmi_user(const struct thread *t)
{
    if (sampler_nmi(&t->frame))
        return;
    if (panics)
        fault_report(&t->frame);
    this_cpu(nmi).in_user++;
    if (samples)
        return;
    log_warn("NMI on CPU %u in process '%s' at %#lx", cpu_index(), t->process->name, t->frame.rip);
}

void nmi_kernel(struct frame *f)
{
    if (!sampler_nmi(f)) {
        if (panics)
            fault_report(f);
        this_cpu(nmi).in_kernel++;
        this_cpu(nmi).last = f->rip;
    }
    f->rip = interrupts_halt_skip(f->rip, f->rflags);
}

void nmi_write(void)
{
    for (uint32_t cpu = 0; cpu < CPU_MAX && percpu_offset(cpu); cpu++) {
        const struct nmi *n = cpu_ptr(cpu, nmi); /* remote look: the CPU has stopped */
        uint64_t offset = 0;
        const char *name = n->last ? symbols_find(n->last, &offset) : NULL;
        if (n->in_user || n->in_kernel)
            log_warn("CPU %u had %lu NMIs in processes and %lu in the kernel, there the last at %#lx %s+%#lx", cpu,
                     n->in_user, n->in_kernel, n->last, name ? name : "?", offset);
    }
}
