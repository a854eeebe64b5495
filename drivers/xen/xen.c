/* SPDX-License-Identifier: MIT
 * Which operations of the platform become Xen's. */
#include "drivers/xen/xen.h"

#include "drivers/xen/abi.h"
#include "drivers/xen/cpu.h"
#include "drivers/xen/domain.h"
#include "drivers/xen/event.h"
#include "sys/lib/log.h"
#include "sys/lib/switches.h"

#include <arch/platform.h>
#include <arch/xen_hypercall.h>

enum xen_switch { XEN_TIMER, XEN_WAKE, XEN_START, XEN_STEAL, XEN_SWITCHES };
#define ALL ((1u << XEN_SWITCHES) - 1)

static const char *const names[XEN_SWITCHES] = {
    [XEN_TIMER] = "timer", [XEN_WAKE] = "wake", [XEN_START] = "start", [XEN_STEAL] = "steal"};
static uint32_t used = ALL; /* [I] after boot */
static char text[SWITCHES_TEXT_BYTES];
static bool reboots;

void xen_set_reboot(bool reboot)
{
    reboots = reboot;
}

/* dom0's power-off would halt the whole machine as it is; a reboot ends it where a reboot is an end (QEMU -no-reboot).
 * What the toolstack is told of another domain: an orderly end, or a crash. */
static void off(bool orderly)
{
    bool initial = xen_domain_get()->initial;
    struct sched_shutdown s = {.reason = reboots || initial ? SHUTDOWN_reboot : SHUTDOWN_poweroff};
    if (!orderly && !initial)
        s.reason = SHUTDOWN_crash;
    (void)xen_hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &s, 0);
}

void xen_power_begin(void)
{
    if (xen_domain_get()->present)
        platform.off = off;
}

bool xen_choose(const char *wish, const char **bad, size_t *bad_bytes)
{
    return switches_parse(wish, names, XEN_SWITCHES, &used, bad, bad_bytes);
}

const char *xen_names_text(void)
{
    return switches_text(text, sizeof(text), names, XEN_SWITCHES, ALL, ", ");
}

const char *xen_used_text(void)
{
    return switches_text(text, sizeof(text), names, XEN_SWITCHES, used, ",");
}

static bool is_used(enum xen_switch s)
{
    return used >> s & 1;
}

static void take_over(void)
{
    platform.activate = xen_cpu_activate;
    if (is_used(XEN_START)) {
        platform.start = xen_cpu_start;
        platform.stop = xen_cpu_stop;
    }
    if (is_used(XEN_TIMER)) {
        platform.timer_arm = xen_timer_arm;
        platform.timer_name = "Xen singleshot timer";
    }
    if (is_used(XEN_WAKE)) {
        platform.wake = xen_cpu_wake;
        platform.wake_name = "event channel";
    }
}

void xen_start(void)
{
    const struct xen_domain *d = xen_domain_get();
    if (!d->present)
        return;
    if (!xen_event_init() || !xen_cpu_activate(0)) {
        used = 0;
        log_warn("Xen refuses event channels: the local APIC it is");
    }
    if (used)
        take_over();
    if (is_used(XEN_STEAL) && !xen_cpu_count_stolen())
        used &= ~(1u << XEN_STEAL);
    log_info("Xen %u.%u, %s; in use: %s", d->version >> 16, d->version & 0xffff,
             d->initial ? "initial domain" : "guest domain", xen_used_text());
}
