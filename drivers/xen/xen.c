/* SPDX-License-Identifier: MIT
 * Which operations of the platform become Xen's. */
#include "drivers/xen/xen.h"

#include "drivers/xen/abi.h"
#include "drivers/xen/cpu.h"
#include "drivers/xen/domain.h"
#include "drivers/xen/event.h"
#include "sys/lib/log.h"

#include <arch/platform.h>
#include <arch/xen_hypercall.h>

#define VALUE_PANIC 0x12 /* enum shutdown_value */

static bool reboots;

void xen_set_reboot(bool reboot)
{
    reboots = reboot;
}

/* dom0's power-off would halt the whole machine as it is; a reboot ends it where a reboot is an end (QEMU -no-reboot).
 * What the toolstack is told of another domain: an orderly end, or a crash. */
static void off(uint32_t value)
{
    unsigned int orderly = reboots || xen_domain_get()->initial ? SHUTDOWN_reboot : SHUTDOWN_poweroff;
    struct sched_shutdown s = {.reason = value == VALUE_PANIC && !xen_domain_get()->initial ? SHUTDOWN_crash : orderly};
    (void)xen_hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &s, 0);
}

void xen_power_begin(void)
{
    if (xen_domain_get()->present)
        platform.off = off;
}

void xen_start(void)
{
    const struct xen_domain *d = xen_domain_get();
    if (!d->present)
        return;
    log_info("Xen %u.%u, %s", d->version >> 16, d->version & 0xffff, d->initial ? "initial domain" : "guest domain");
    if (!xen_event_init() || !xen_cpu_activate(0)) {
        log_warn("Xen refuses event channels: the local APIC it is");
        return;
    }
    platform.activate = xen_cpu_activate;
    platform.start = xen_cpu_start;
    platform.stop = xen_cpu_stop;
    platform.timer_arm = xen_timer_arm;
    platform.wake = xen_cpu_wake;
    platform.timer_name = "Xen singleshot timer";
    platform.wake_name = "event channel";
}
