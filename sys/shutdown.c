/* SPDX-License-Identifier: MIT
 * Stopping the machine. The consoles belong to the boot CPU, so an orderly end elsewhere is sent there; a panic stops
 * the other CPUs and uses the consoles itself. */
#include "sys/shutdown.h"

#include "arch/x86_64/asm.h"
#include "arch/x86_64/power.h"
#include "sched/inbox.h"
#include "sched/thread.h"
#include "sys/console.h"
#include "sys/lib/log.h"
#include "sys/log_internal.h"
#include "sys/nmi.h"
#include "sys/syscall/hooks.h"

#include <arch/apic.h>
#include <arch/atomic.h>
#include <arch/control.h>
#include <arch/cpu.h>
#include <arch/percpu.h>

#define OTHERS_STOP_SPINS 100000

static uint32_t ending;     /* [a] 1 + the CPU that panics; 0 */
static bool others_running; /* [I] after boot */

void shutdown_others_exist(void)
{
    others_running = true;
}

void shutdown_stop_others(void)
{
    uint32_t first = 0;
    if (!cmpxchg_acqrel(&ending, &first, cpu_index() + 1)) {
        if (first != cpu_index() + 1)
            cpu_stop();            /* that CPU reports */
        power_off(SHUTDOWN_PANIC); /* a panic inside the panic */
    }
    log_panic_mode();
    if (!others_running)
        return;
    apic_send_others(VECTOR_STOP);
    for (unsigned int i = 0; i < OTHERS_STOP_SPINS; i++)
        cpu_pause();
}

static void run_shutdown(const struct inbox_message *m)
{
    shutdown_machine((enum shutdown_value)m->word[0]);
}

void shutdown_machine(enum shutdown_value value)
{
    uint32_t panics = load_relaxed(&ending);
    if (panics && panics != cpu_index() + 1)
        cpu_stop(); /* no orderly end may hide a panic elsewhere */
    if (cpu_index() != 0 && !panics) {
        struct inbox_message m = {run_shutdown, {value}};
        inbox_send(0, &m, THREAD_PRIORITIES - 1);
        cpu_stop();
    }
    log_collect();
    hooks_finish();
    nmi_write();
    console_finish(value != SHUTDOWN_PANIC);
    power_off(value);
}
