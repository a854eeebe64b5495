/* SPDX-License-Identifier: MIT
 * Where the TSC's rate comes from, in order: the command line, CPUID 0x15, the hypervisor's timing leaf, Xen's time
 * leaf, KVM's pvclock page, and last a measurement against HPET, ACPI PM timer or PIT. Every wait is bounded and none
 * of the three is taken to exist: what is not there, or does not count, is noted for the boot log. A measurement aligns
 * both ends to an edge of the reference, is done three times, and the median counts. */
#include <arch/clock.h>

#include "arch/x86_64/features.h"
#include "arch/x86_64/kvm.h"
#include "sys/lib/absent.h"
#include "sys/lib/string.h"

#include <arch/io.h>
#include <arch/memory.h>
#include <asm/kvm_para.h>
#include <stddef.h>
#include <xen/xen.h>

#define TRIES 3
#define EDGE_SPINS 20000
#define WINDOW_SPINS 2000000

#define PIT_CHANNEL_2 0x42
#define PIT_COMMAND 0x43
#define PIT_MODE_0 0xb0        /* channel 2, both bytes, counts down once */
#define PIT_READ_STATUS 0xe8   /* of channel 2 */
#define PIT_STATUS_MODE_0 0x30 /* what that must say of its mode */
#define PIT_STATUS_MODE_MASK 0x3f
#define PIT_LATCH 0x80
#define SPEAKER 0x61 /* bit 0: channel 2 counts, bit 1: and is heard */

struct clock clock_state;

/* A free-running counter: `read` counts up modulo mask + 1. */
struct reference {
    const char *name;
    uint64_t hz;
    uint32_t mask;
    uint32_t window; /* ticks per try */
    uint32_t (*read)(void);
};

static void *hpet;
static uint16_t pm_timer_port;

static uint32_t hpet_read(void)
{
    return mmio_read32(hpet, 0xf0);
}

static uint32_t pm_timer_read(void)
{
    return io_in32(pm_timer_port);
}

/* Channel 2 counts down from 0xffff. */
static uint32_t pit_read(void)
{
    io_out8(PIT_COMMAND, PIT_LATCH);
    uint32_t low = io_in8(PIT_CHANNEL_2);
    return 0xffff - (low | (uint32_t)io_in8(PIT_CHANNEL_2) << 8);
}

/* False if there is none: then no port tells the mode that was just set, and port 0x61 is left alone. */
static bool pit_start(void)
{
    io_out8(PIT_COMMAND, PIT_MODE_0);
    io_out8(PIT_COMMAND, PIT_READ_STATUS);
    if ((io_in8(PIT_CHANNEL_2) & PIT_STATUS_MODE_MASK) != PIT_STATUS_MODE_0)
        return false;
    io_out8(SPEAKER, (uint8_t)((io_in8(SPEAKER) & ~2) | 1));
    io_out8(PIT_CHANNEL_2, 0xff);
    io_out8(PIT_CHANNEL_2, 0xff);
    return true;
}

/* Waits for the reference to move by at least `ticks`; returns how far it did, 0 if it did not in `spins` reads. */
static uint32_t wait_ticks(const struct reference *r, uint32_t from, uint32_t ticks, uint32_t spins, uint64_t *tsc)
{
    for (uint32_t i = 0; i < spins; i++) {
        uint32_t moved = (r->read() - from) & r->mask;
        *tsc = cpu_rdtsc();
        if (moved >= ticks)
            return moved;
    }
    return 0;
}

static uint64_t measure_once(const struct reference *r)
{
    uint64_t start, stop;
    uint32_t first = r->read();
    uint32_t edge = wait_ticks(r, first, 1, EDGE_SPINS, &start);
    if (!edge)
        return 0;
    uint32_t moved = wait_ticks(r, first + edge, r->window, WINDOW_SPINS, &stop);
    return moved ? (stop - start) * r->hz / moved / 1000 : 0;
}

static uint64_t measure(const struct reference *r)
{
    uint64_t khz[TRIES];
    for (unsigned int i = 0; i < TRIES; i++) {
        uint64_t v = measure_once(r);
        if (!v)
            return 0;
        unsigned int j = i;
        for (; j > 0 && khz[j - 1] > v; j--)
            khz[j] = khz[j - 1];
        khz[j] = v;
    }
    return khz[TRIES / 2];
}

static uint64_t khz_from_hpet(uint64_t base)
{
    if (!base || !(hpet = mmio_map(base, 0x400)))
        return 0;
    uint32_t period_fs = mmio_read32(hpet, 4);
    if (period_fs < 100000 || period_fs > 100000000)
        return 0;
    mmio_write32(hpet, 0x10, mmio_read32(hpet, 0x10) | 1);
    uint64_t hz = UINT64_C(1000000000000000) / period_fs;
    struct reference r = {"HPET", hz, UINT32_MAX, (uint32_t)(hz / 33000), hpet_read};
    return measure(&r);
}

static uint64_t khz_from_pm_timer(uint16_t port, bool wide)
{
    if (!port)
        return 0;
    pm_timer_port = port;
    struct reference r = {"PM timer", 3579545, wide ? UINT32_MAX : 0xffffff, 358, pm_timer_read};
    return measure(&r);
}

static uint64_t khz_from_pit(void)
{
    if (!pit_start())
        return 0;
    struct reference r = {"PIT", 1193182, 0xffff, 180, pit_read};
    return measure(&r);
}

static uint64_t khz_from_cpuid(void)
{
    if (features_get()->basic_max < 0x15)
        return 0;
    struct cpuid_regs r = cpuid(0x15, 0);
    return r.eax && r.ebx && r.ecx ? (uint64_t)r.ecx * r.ebx / r.eax / 1000 : 0;
}

static uint64_t khz_from_hypervisor_leaf(void)
{
    const struct cpu_features *f = features_get();
    if (!f->hypervisor_base || f->hypervisor_max < f->hypervisor_base + 0x10 || !strcmp(f->hypervisor, "XenVMMXenVMM"))
        return 0;
    return cpuid(f->hypervisor_base + 0x10, 0).eax;
}

static uint64_t khz_from_xen(void)
{
    const struct cpu_features *f = features_get();
    if (strcmp(f->hypervisor, "XenVMMXenVMM") || f->hypervisor_max < f->hypervisor_base + 3)
        return 0;
    struct cpuid_regs r = cpuid(f->hypervisor_base + 3, 0);
    clock_state.emulated_tsc = r.eax & 1;
    return r.ecx;
}

/* The host writes multiplier and shift into a page that we register for a moment: frequency = 1e9 * 2^32 / mul,
 * unshifted. */
static uint64_t khz_from_pvclock(void)
{
    if (!kvm_is_used(KVM_CLOCK))
        return 0;
    static struct vcpu_time_info page __attribute__((aligned(64)));
    wrmsr(MSR_KVM_SYSTEM_TIME_NEW, virt_to_phys(&page) | 1);
    uint64_t mul = page.tsc_to_system_mul;
    int shift = page.tsc_shift;
    wrmsr(MSR_KVM_SYSTEM_TIME_NEW, 0);
    if (!mul || shift > 31 || shift < -31)
        return 0;
    uint64_t khz = (UINT64_C(1000000) << 32) / mul;
    return shift < 0 ? khz << -shift : khz >> shift;
}

/* By the first counter that counts; the others before it are absent. */
static uint64_t measured_khz(const struct clock_hints *h, const char **source)
{
    uint64_t khz;
    if ((khz = khz_from_hpet(h->hpet_base)))
        return *source = "HPET", khz;
    absent_note("HPET");
    if ((khz = khz_from_pm_timer(h->pm_timer_port, h->pm_timer_32bit)))
        return *source = "PM timer", khz;
    absent_note("PM timer");
    if ((khz = khz_from_pit()))
        return *source = "PIT", khz;
    return *source = "none", 0;
}

static uint64_t find_khz(const struct clock_hints *h, const char **source)
{
    uint64_t khz = h->tsc_khz;
    if (khz)
        return *source = "command line", khz;
    if ((khz = khz_from_cpuid()))
        return *source = "CPUID 0x15", khz;
    if ((khz = khz_from_hypervisor_leaf()))
        return *source = "hypervisor timing leaf", khz;
    if ((khz = khz_from_xen()))
        return *source = "Xen time leaf", khz;
    if ((khz = khz_from_pvclock()))
        return *source = "KVM pvclock", khz;
    return measured_khz(h, source);
}

bool clock_init(const struct clock_hints *hints)
{
    clock_state.tsc_khz = find_khz(hints, &clock_state.source);
    if (!clock_state.tsc_khz)
        return false;
    clock_state.tsc_base = hints->tsc_base;
    clock_state.mult = (UINT64_C(1000000) << 32) / clock_state.tsc_khz;
    return true;
}

uint64_t clock_to_tsc(uint64_t ns)
{
    /* The inverse of clock_from_tsc with the same rounded mult, or the timer would fire early for ever longer. Beyond
     * 64 bits lie centuries: never. */
    uint64_t ticks, rest, tsc;
    if (ns >> 32 >= clock_state.mult)
        return UINT64_MAX;
    __asm__("divq %4" : "=a"(ticks), "=d"(rest) : "a"(ns << 32), "d"(ns >> 32), "r"(clock_state.mult) : "cc");
    return __builtin_add_overflow(ticks, clock_state.tsc_base + (rest != 0), &tsc) ? UINT64_MAX : tsc;
}
