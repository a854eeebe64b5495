/* SPDX-License-Identifier: MIT
 * Stopping the machine. The consoles belong to the boot CPU, so an orderly end elsewhere is sent there. It asks the
 * other CPUs to stop, by a message, which a CPU takes only between two calls, and waits until they have: what they were
 * doing is complete and can be read. A panic does not ask: it stops them by an interrupt and uses the consoles itself.
 */
#include "sys/shutdown.h"

#include "arch/x86_64/asm.h"
#include "arch/x86_64/power.h"
#include "ipc/event_bus.h"
#include "sched/inbox.h"
#include "sched/thread.h"
#include "sys/census.h"
#include "sys/console.h"
#include "sys/lib/log.h"
#include "sys/line.h"
#include "sys/log_internal.h"
#include "sys/nmi.h"
#include "sys/profile.h"
#include "sys/publisher.h"
#include "sys/syscall/hooks.h"

#include <arch/apic.h>
#include <arch/atomic.h>
#include <arch/clock.h>
#include <arch/control.h>
#include <arch/cpu.h>
#include <arch/percpu.h>

#define OTHERS_STOP_SPINS 100000
#define STOP_LIMIT_NS UINT64_C(5000000000) /* a host may be busy; a CPU that takes longer hangs */

static uint32_t ending;            /* [a] 1 + the CPU that panics; 0 */
static uint32_t cpu_count = 1;     /* [I] after boot: CPUs that run */
static PERCPU_ZERO(bool, stopped); /* [1] this CPU changes nothing any more */

void shutdown_others_exist(uint32_t cpus)
{
    cpu_count = cpus;
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
    if (cpu_count == 1)
        return;
    apic_send_others(VECTOR_STOP);
    for (unsigned int i = 0; i < OTHERS_STOP_SPINS; i++)
        cpu_pause();
}

static _Noreturn void stop_here(void)
{
    store_release(this_cpu_ptr(stopped), true); /* pairs: cpu-stopped */
    cpu_stop();
}

static void run_stop(const struct inbox_message *m)
{
    (void)m;
    stop_here();
}

static bool has_stopped(uint32_t cpu)
{
    return load_acquire(cpu_ptr(cpu, stopped)); /* pairs: cpu-stopped */
}

/* No orderly end may hide a panic elsewhere. */
static void give_way_to_panic(void)
{
    uint32_t panics = load_relaxed(&ending);
    if (panics && panics != cpu_index() + 1)
        cpu_stop();
}

/* Boot CPU. False: one did not stop. */
static bool ask_others_to_stop(void)
{
    const struct inbox_message m = {run_stop, {0}};
    uint64_t since = clock_now_ns();
    uint32_t cpu;
    for (cpu = 1; cpu < cpu_count; cpu++)
        if (!has_stopped(cpu))
            inbox_send(cpu, &m, THREAD_PRIORITIES - 1);
    for (cpu = 1; cpu < cpu_count && clock_now_ns() - since < STOP_LIMIT_NS;) {
        give_way_to_panic();
        cpu_pause();
        cpu += has_stopped(cpu);
    }
    if (cpu < cpu_count)
        log_error("census: BROKEN: CPU %u does not stop", cpu);
    return cpu == cpu_count;
}

static enum event_response handle_tick(struct event_subscription *s, const struct event *e);
static uint64_t grace_ends_ns; /* 0: nobody asked */
static struct event_subscription grace = {
    .name = "shutdown", .handle = handle_tick, .topics = TOPIC_TICK, .priority = EVENT_PRIORITY_LOW, .always = true};

static enum event_response handle_tick(struct event_subscription *s, const struct event *e)
{
    (void)s, (void)e;
    if (clock_now_ns() >= grace_ends_ns)
        shutdown_machine(SHUTDOWN_SUCCESS);
    return EVENT_HANDLED;
}

bool shutdown_is_near(void)
{
    return grace_ends_ns;
}

void shutdown_soon(uint64_t grace_ns)
{
    if (grace_ends_ns)
        return;
    grace_ends_ns = clock_now_ns() + grace_ns;
    event_publish(EVENT_SHUTDOWN, 0, 0, 0, 0);
    if (grace_ns == 0 || event_subscribe(&grace) != STATUS_OK)
        shutdown_machine(SHUTDOWN_SUCCESS);
}

static void run_shutdown(const struct inbox_message *m)
{
    shutdown_machine((enum shutdown_value)m->word[0]);
}

void shutdown_machine(enum shutdown_value value)
{
    give_way_to_panic();
    bool panics = load_relaxed(&ending);
    if (cpu_index() != 0 && !panics) {
        struct inbox_message m = {run_shutdown, {value}};
        inbox_send(0, &m, THREAD_PRIORITIES - 1);
        stop_here();
    }
    profile_stop();
    struct event event = {.kind = EVENT_SHUTDOWN, .value = value != SHUTDOWN_SUCCESS};
    if (!panics && !grace_ends_ns)
        (void)event_publish_sync(&event);
    bool orderly = value == SHUTDOWN_SUCCESS || value == SHUTDOWN_FAILURE;
    bool at_rest = orderly && ask_others_to_stop();
    log_collect();
    if (orderly && !(at_rest && census_take()))
        value = SHUTDOWN_FAILURE;
    hooks_finish();
    nmi_write();
    line_write();
    publisher_write_losses(cpu_count);
    log_info("the machine ends, exit status %u", 2u * value + 1);
    if (!panics)
        profile_finish();
    console_finish(value != SHUTDOWN_PANIC);
    power_off(value);
}
