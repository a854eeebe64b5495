/* SPDX-License-Identifier: MIT
 * Local APIC. The timer is TSC-deadline where the CPU has it, otherwise one-shot counting at the bus clock. An early
 * expiry (rounding) is harmless: sched/timer.c looks at the clock and arms again. */
#include <arch/apic.h>

#include "arch/x86_64/asm.h"
#include "arch/x86_64/features.h"
#include "sys/lib/absent.h"
#include "sys/lib/panic.h"

#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/percpu.h>
#include <arch/platform.h>
#include <stddef.h>

enum apic_register {
    APIC_ID = 0x20,
    APIC_EOI = 0xb0,
    APIC_SPURIOUS = 0xf0,
    APIC_ICR = 0x300,
    APIC_ICR_HIGH = 0x310,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_CURRENT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
};

#define LVT_NMI (4u << 8)
#define LVT_MASKED (1u << 16)
#define LVT_TSC_DEADLINE (2u << 17)
#define DIVIDE_BY_1 0xb
#define ICR_PENDING (1u << 12)
#define ICR_ASSERT (1u << 14)
#define ICR_OTHERS (3u << 18)
#define ICR_NMI (4u << 8)
#define ICR_INIT (5u << 8)
#define ICR_STARTUP (6u << 8)
#define APIC_BASE_ENABLE (1u << 11)
#define APIC_BASE_X2APIC (1u << 10)
#define CALIBRATE_NS 20000
#define PIC_MASTER_MASK 0x21
#define PIC_SLAVE_MASK 0xa1
#define PIC_ALL 0xff
#define PIC_ALL_BUT_CASCADE 0xfb

struct apic_ops {
    uint32_t (*read)(uint32_t reg);
    void (*write)(uint32_t reg, uint32_t v);
    void (*command)(uint32_t apic_id, uint32_t low);
};

static void *registers;            /* [I] xAPIC only */
static const struct apic_ops *ops; /* [I] */
static uint64_t timer_hz;          /* [I] one-shot mode */

struct platform platform;

static uint32_t xapic_read(uint32_t reg)
{
    return mmio_read32(registers, reg);
}

static void xapic_write(uint32_t reg, uint32_t v)
{
    mmio_write32(registers, reg, v);
}

static void xapic_command(uint32_t id, uint32_t low)
{
    for (unsigned int i = 0; i < 100000 && (xapic_read(APIC_ICR) & ICR_PENDING); i++)
        cpu_pause();
    xapic_write(APIC_ICR_HIGH, id << 24);
    xapic_write(APIC_ICR, low);
}

static uint32_t x2apic_read(uint32_t reg)
{
    return (uint32_t)rdmsr(0x800 + (reg >> 4));
}

static void x2apic_write(uint32_t reg, uint32_t v)
{
    wrmsr(0x800 + (reg >> 4), v);
}

/* One MSR write; it is not ordered after earlier stores, which the receiver must see: fence. */
static void x2apic_command(uint32_t id, uint32_t low)
{
    __asm__ volatile("mfence; lfence" ::: "memory");
    wrmsr(0x800 + (APIC_ICR >> 4), (uint64_t)id << 32 | low);
}

static const struct apic_ops xapic_ops = {xapic_read, xapic_write, xapic_command};
static const struct apic_ops x2apic_ops = {x2apic_read, x2apic_write, x2apic_command};

/* The same with the hypervisor asked first (platform.h); tables of their own, so that nothing is asked without one. */
static const struct apic_ops *hardware; /* [I] */

static void platform_write(uint32_t reg, uint32_t v)
{
    if (reg != APIC_EOI || !platform.eoi || !platform.eoi())
        hardware->write(reg, v);
}

static void platform_command(uint32_t id, uint32_t low)
{
    if ((low & ICR_OTHERS) != ICR_OTHERS || !platform.send_others || !platform.send_others((uint8_t)low))
        hardware->command(id, low);
}

void apic_use_platform(void)
{
    static struct apic_ops asking; /* [I] */
    hardware = ops;
    asking = (struct apic_ops){hardware->read, platform_write, platform_command};
    ops = &asking;
}

static bool is_x2apic(void)
{
    return ops->read == x2apic_read;
}

/* Firmware may leave the 8259s on, with a timer tick pending from before we turned interrupts off. Masked before LINT0
 * is, since QEMU 7.2 without KVM delivers such an interrupt as vector -1. A mask that is not kept is no 8259's; the one
 * tried lets only the slave through, which is masked by then. */
static void pic_mask(void)
{
    io_out8(PIC_SLAVE_MASK, PIC_ALL);
    io_out8(PIC_MASTER_MASK, PIC_ALL_BUT_CASCADE);
    if (io_in8(PIC_MASTER_MASK) == PIC_ALL_BUT_CASCADE)
        io_out8(PIC_MASTER_MASK, PIC_ALL);
    else
        absent_note("8259");
}

static void platform_begin(void);

void apic_init(paddr_t base)
{
    pic_mask();
    if (features_get()->x2apic) {
        ops = &x2apic_ops;
    } else {
        ops = &xapic_ops;
        registers = mmio_map(base, PAGE_SIZE);
        panic_if(!registers);
    }
    platform_begin();
}

void apic_activate(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;
    wrmsr(MSR_APIC_BASE, base);
    if (is_x2apic())
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
    ops->write(APIC_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
    ops->write(APIC_LVT_LINT0, LVT_MASKED);
    ops->write(APIC_LVT_LINT1, LVT_NMI); /* by convention the machine's NMI; hosts honour the mask */
    ops->write(APIC_LVT_ERROR, LVT_MASKED);
    ops->write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    ops->write(APIC_LVT_TIMER, VECTOR_TIMER | (features_get()->tsc_deadline ? LVT_TSC_DEADLINE : 0));
}

void apic_timer_calibrate(void)
{
    const struct cpu_features *f = features_get();
    if (f->tsc_deadline)
        return;
    if (f->hypervisor_base && f->hypervisor_max >= f->hypervisor_base + 0x10)
        timer_hz = (uint64_t)cpuid(f->hypervisor_base + 0x10, 0).ebx * 1000;
    if (timer_hz)
        return;
    ops->write(APIC_LVT_TIMER, VECTOR_TIMER | LVT_MASKED);
    ops->write(APIC_TIMER_INITIAL, UINT32_MAX);
    uint64_t start_ns = clock_now_ns(), now_ns;
    uint32_t first = ops->read(APIC_TIMER_CURRENT);
    do
        now_ns = clock_now_ns();
    while (now_ns - start_ns < CALIBRATE_NS);
    uint32_t ticks = first - ops->read(APIC_TIMER_CURRENT);
    now_ns = clock_now_ns();
    timer_hz = (uint64_t)ticks * 1000000000 / (now_ns - start_ns);
    panic_if(timer_hz == 0);
    ops->write(APIC_TIMER_INITIAL, 0);
    ops->write(APIC_LVT_TIMER, VECTOR_TIMER);
}

uint32_t apic_id(void)
{
    return is_x2apic() ? ops->read(APIC_ID) : ops->read(APIC_ID) >> 24;
}

void apic_eoi(void)
{
    ops->write(APIC_EOI, 0);
}

void apic_send(uint32_t id, uint8_t vector)
{
    ops->command(id, vector | ICR_ASSERT);
}

void apic_send_nmi(uint32_t id)
{
    ops->command(id, ICR_NMI | ICR_ASSERT);
}

void apic_send_init(uint32_t id)
{
    ops->command(id, ICR_INIT | ICR_ASSERT);
}

void apic_send_startup(uint32_t id, paddr_t page)
{
    ops->command(id, ICR_STARTUP | ICR_ASSERT | (uint32_t)(page >> 12));
}

void apic_send_others(uint8_t vector)
{
    ops->command(0, vector | ICR_ASSERT | ICR_OTHERS);
}

static void arm_deadline(uint64_t ns)
{
    wrmsr(MSR_TSC_DEADLINE, clock_to_tsc(ns));
}

static void arm_one_shot(uint64_t ns)
{
    uint64_t now = clock_now_ns();
    uint64_t delta_ns = ns > now ? ns - now : 0;
    if (delta_ns > 1000000000)
        delta_ns = 1000000000; /* fires early and is armed again: the counter has 32 bits */
    uint64_t ticks = delta_ns * timer_hz / 1000000000 + 1;
    ops->write(APIC_TIMER_INITIAL, ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
}

static void wake(uint32_t cpu)
{
    apic_send(cpu_ptr(cpu, percpu_head)->apic_id, VECTOR_WAKE);
}

static void platform_begin(void)
{
    bool deadline = features_get()->tsc_deadline;
    platform.timer_arm = deadline ? arm_deadline : arm_one_shot;
    platform.timer_name = deadline ? "TSC-deadline timer" : "one-shot timer";
    platform.wake = wake;
    platform.wake_name = apic_name();
}

const char *apic_name(void)
{
    return is_x2apic() ? "x2APIC" : "xAPIC";
}
