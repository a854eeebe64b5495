/* SPDX-License-Identifier: MIT
 * What interrupts and exceptions mean. From user mode an exception stops that process and no other; in the kernel it is
 * a kernel fault. Interrupts reach the kernel only while it idles. */
#include "arch/x86_64/asm.h"
#include "arch/x86_64/trap.h"
#include "drivers/xen/event.h"
#include "sched/sched.h"
#include "sys/lib/log.h"
#include "sys/line.h"
#include "sys/nmi.h"
#include "sys/port.h"
#include "sys/process.h"
#include "sys/toolstack.h"

#include <arch/apic.h>
#include <arch/control.h>
#include <arch/entry.h>

/* Xen's upcall, which stands for several interrupts at once; true if a wake-up was among them. */
static bool upcall(void)
{
    if (xen_event_needs_eoi())
        apic_eoi();
    uint32_t events = xen_event_take();
    if (events & XEN_EVENT_TIMER)
        timer_interrupt();
    if (events & XEN_EVENT_DEVICE)
        toolstack_interrupt();
    return events & XEN_EVENT_WAKE;
}

static bool is_wake(uint64_t vector)
{
    return vector == VECTOR_WAKE || vector == VECTOR_UPCALL;
}

/* True: the inbox is to be looked at. */
static bool take_wake(uint64_t vector)
{
    if (vector == VECTOR_UPCALL)
        return upcall();
    apic_eoi();
    return true;
}

static bool interrupt(uint64_t vector)
{
    switch (vector) {
    case VECTOR_TIMER:
        apic_eoi();
        timer_interrupt();
        return true;
    case VECTOR_STOP:
        cpu_stop();
    case VECTOR_SPURIOUS: /* the APIC has nothing in service */
        line_stray(vector);
        return true;
    default:
        return line_interrupt(vector);
    }
}

static void refuse_interrupt(uint64_t vector)
{
    line_stray(vector);
    apic_eoi();
}

/* The current thread was interrupted; its registers are in it. From entry.S. After an NMI the same thread goes on, by
 * IRET: only that lets the next one in. */
void trap_user(struct thread *t)
{
    uint64_t vector = t->frame.vector;
    if (vector == VECTOR_NMI) {
        nmi_user(t);
        return;
    }
    if (is_wake(vector)) {
        if (take_wake(vector))
            inbox_run();
        sched_interrupted();
        return;
    }
    if (interrupt(vector)) {
        sched_interrupted();
        return;
    }
    if (vector == VECTOR_DOUBLE_FAULT || vector == VECTOR_MACHINE_CHECK)
        fault_report(&t->frame); /* not the process's doing */
    if (vector == VECTOR_PROTECTION && port_execute(t))
        return;
    if (vector < TRAP_EXCEPTIONS) {
        log_warn("process '%s' stopped: %s, error %#lx, address %#lx, pc %#lx, sp %#lx", t->process->name,
                 trap_name(vector), t->frame.error, vector == VECTOR_PAGE_FAULT ? cr2_read() : 0, t->frame.rip,
                 t->frame.rsp);
        process_stop(t->process, &(struct exit_status){.kind = EXIT_EXCEPTION,
                                                       .exception = (uint32_t)vector,
                                                       .error = (uint32_t)t->frame.error,
                                                       .address = vector == VECTOR_PAGE_FAULT ? cr2_read() : 0,
                                                       .pc = t->frame.rip});
    } else {
        refuse_interrupt(vector);
    }
    sched_interrupted();
}

/* A process that set the trap flag and then executed SYSENTER, which does not clear it: the first instructions of that
 * entry are not to be stepped through. The process loses the flag, as SYSENTER loses all flags. */
static bool is_stepped_entry(const struct frame *f)
{
    return f->vector == VECTOR_DEBUG && (f->rflags & RFLAGS_TF) && entry_is_inside(f->rip);
}

/* An interrupt where interrupts are off, which no CPU takes. QEMU's emulated SVM does, seen under nested KVM with its
 * `-d int`: it keeps the vector that VMRUN injected, and when its execution loop next stops before an exit, it delivers
 * that vector again, wherever the guest is. The first delivery has done the work, EOI too. */
static bool is_repeated(const struct frame *f)
{
    return f->vector >= TRAP_EXCEPTIONS && !(f->rflags & RFLAGS_IF);
}

/* The kernel was interrupted: idling, or it made a mistake. From entry.S. A wake-up only ends the halt: were messages
 * run here, senders who never cease would interrupt again before the idle loop goes on, and what they readied never
 * ran. */
void trap_kernel(struct frame *f)
{
    if (f->vector == VECTOR_NMI) {
        nmi_kernel(f);
        return;
    }
    if (is_stepped_entry(f)) {
        f->rflags &= ~(uint64_t)RFLAGS_TF;
        return;
    }
    if (f->vector < TRAP_EXCEPTIONS)
        fault_report(f);
    if (is_repeated(f)) {
        line_repeated();
        return;
    }
    f->rip = interrupts_halt_skip(f->rip, f->rflags);
    f->rflags &= ~(uint64_t)RFLAGS_IF; /* the idle loop looks after each one, so that none keeps it from going on */
    if (is_wake(f->vector)) {
        if (take_wake(f->vector))
            inbox_set_level(INBOX_POLLING);
    } else if (!interrupt(f->vector)) {
        refuse_interrupt(f->vector);
    }
}
