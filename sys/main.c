/* SPDX-License-Identifier: MIT
 * The boot order, as one page of plain calls. Everything runs on the boot CPU until smp_release. */
#include "arch/x86_64/acpi.h"
#include "arch/x86_64/boot_info.h"
#include "arch/x86_64/boot_table.h"
#include "arch/x86_64/features.h"
#include "arch/x86_64/ioapic.h"
#include "arch/x86_64/kvm.h"
#include "arch/x86_64/mptable.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/power.h"
#include "arch/x86_64/smp.h"
#include "arch/x86_64/speculation.h"
#include "arch/x86_64/steal.h"
#include "arch/x86_64/trap.h"
#include "arch/x86_64/uart.h"
#include "drivers/virtio/console.h"
#include "drivers/xen/domain.h"
#include "drivers/xen/early.h"
#include "drivers/xen/memory.h"
#include "drivers/xen/xen.h"
#include "ipc/event_bus.h"
#include "mm/page.h"
#include "sched/sched.h"
#include "sys/census.h"
#include "sys/cmdline.h"
#include "sys/console.h"
#include "sys/control.h"
#include "sys/device.h"
#include "sys/hotplug.h"
#include "sys/image.h"
#include "sys/lib/absent.h"
#include "sys/lib/log.h"
#include "sys/lib/panic.h"
#include "sys/lib/string.h"
#include "sys/load.h"
#include "sys/log_internal.h"
#include "sys/machine.h"
#include "sys/module/module.h"
#include "sys/nmi.h"
#include "sys/profile.h"
#include "sys/publisher.h"
#include "sys/shutdown.h"
#include "sys/stream.h"
#include "sys/syscall/hooks.h"
#include "sys/toolstack.h"

#include <arch/apic.h>
#include <arch/atomic.h>
#include <arch/clock.h>
#include <arch/entry.h>
#include <arch/percpu.h>
#include <arch/platform.h>

#define BOOT_MAP_LIMIT (UINT64_C(4) << 30) /* what boot.S maps */

_Noreturn void kernel_main(uint32_t multiboot2_magic, paddr_t info, uint64_t entry_tsc);
_Noreturn void enter_user(void);

extern char kernel_load_start[], kernel_end[];
extern const char image_default[], image_default_end[];

static struct boot_info boot;
static struct cmdline cmdline;
static struct cpu_list cpus;

static void read_boot_info(uint32_t multiboot2_magic, paddr_t info)
{
    boot_table_set_limit(BOOT_MAP_LIMIT);
    enum status s = multiboot2_magic ? multiboot2_decode(info, &boot) : pvh_decode(info, &boot);
    if (s != STATUS_OK)
        panic("the boot loader's information at %#lx is no good: status %d", info, (int)s);
    xen_set_initial(boot.initial_domain);
    if (!boot.memory.count && xen_domain_get()->present && xen_memory_map(&boot) != STATUS_OK)
        log_warn("Xen gives no memory map");
    log_info("Tern %.12s, by %s%s%s, command line: %s", machine_build_id(), boot.protocol,
             boot.loader[0] ? " from " : "", boot.loader, boot.cmdline);
    if (boot.refused)
        log_warn("%lu boot modules or tags refused", boot.refused);
}

static void read_cmdline(void)
{
    char error[512];
    enum status s = cmdline_parse(boot.cmdline, &cmdline, error, sizeof(error));
    if (s != STATUS_OK || boot.cmdline_truncated) {
        log_error("command line: %s", s != STATUS_OK ? error : "longer than 1023 bytes");
        shutdown_machine(SHUTDOWN_BAD_CONFIG);
    }
    log_set_level((enum log_level)cmdline.loglevel);
    if (cmdline.com1 == CMDLINE_com1_spare)
        uart_log_spare();
    sched_set_idle((enum idle_policy)cmdline.idle);
    timer_set_slice(cmdline.slice_us * 1000);
    event_set_tick(cmdline.tick_us * 1000);
    nmi_set(cmdline.nmi == CMDLINE_nmi_panic, cmdline.nmi == CMDLINE_nmi_sample);
    if (cmdline.pci == CMDLINE_pci_off)
        virtio_console_avoid_pci();
    machine.protocol = boot.protocol;
    machine.cmdline = boot.cmdline;
}

/* What of a hypervisor is used; on another one the keys are checked, and mean nothing. */
static void choose_switches(void)
{
    const char *bad = "";
    size_t n = 0;
    if (!kvm_choose(cmdline.kvm, cmdline.idle != CMDLINE_idle_hlt, &bad, &n)) {
        log_error("kvm=: '%.*s' is no switch; there are %s, and none, all", (int)n, bad, kvm_names_text());
        shutdown_machine(SHUTDOWN_BAD_CONFIG);
    }
    if (!xen_choose(cmdline.xen, &bad, &n)) {
        log_error("xen=: '%.*s' is no switch; there are %s, and none, all", (int)n, bad, xen_names_text());
        shutdown_machine(SHUTDOWN_BAD_CONFIG);
    }
    if (kvm_is_used(KVM_REALTIME) && cmdline.idle == CMDLINE_idle_adaptive)
        sched_set_idle(IDLE_POLL);
}

static void choose_entry(void)
{
    if (entry_choose((enum entry_instruction)cmdline.entry))
        return;
    log_error("entry=sysenter: this CPU (%s) has no SYSENTER in 64-bit mode; Intel's have", features_get()->vendor);
    shutdown_machine(SHUTDOWN_BAD_CONFIG);
}

static void init_memory(void)
{
    enum status s = page_init(&boot.memory);
    if (s != STATUS_OK)
        panic("no usable memory in the boot memory map (%lu entries): status %d", boot.memory.count, (int)s);
    paddr_t start = (paddr_t)kernel_load_start;
    page_reserve(start, virt_to_phys(kernel_end) - start);
    for (size_t i = 0; i < boot.reserve_count; i++)
        page_reserve(boot.reserve[i].base, boot.reserve[i].bytes);
    log_info("memory: %lu MiB, %lu map entries refused", page_total_bytes() >> 20, boot.memory.refused);
}

/* Tables of the firmware, read while the boot tables map the first 4 GiB. */
static struct clock_hints read_firmware(uint64_t entry_tsc)
{
    struct clock_hints hints = {.tsc_base = entry_tsc, .tsc_khz = cmdline.tsc_khz};
    struct acpi_power power;
    bool acpi = acpi_init(&boot) == STATUS_OK;
    if (!acpi)
        absent_note("ACPI");
    if (!acpi || acpi_find_cpus(&cpus) != STATUS_OK)
        if (mptable_find_cpus(&cpus) != STATUS_OK)
            absent_note("MP table");
    if (acpi && acpi_find_power(&power) == STATUS_OK) {
        hints.pm_timer_port = power.pm_timer_port;
        hints.pm_timer_32bit = power.pm_timer_32bit;
    }
    if (!acpi || acpi_find_hpet(&hints.hpet_base) != STATUS_OK)
        hints.hpet_base = 0;
    if (acpi)
        power_init();
    return hints;
}

static void init_time(const struct clock_hints *hints)
{
    if (!clock_init(hints)) {
        console_init(boot.cmdline); /* there may be no COM1 on which to say it */
        panic(
            "no clock: neither CPUID nor the hypervisor tells the TSC's rate, and there is no HPET, PM timer or PIT to "
            "measure it; pass tsc_khz=KHZ, its rate in kHz");
    }
    apic_init(cpus.lapic_base);
    apic_activate();
    apic_timer_calibrate();
    xen_start();
    kvm_start();
    cpu_ptr(0, percpu_head)->apic_id = apic_id();
    const struct cpu_features *f = features_get();
    log_info("clock: TSC %lu.%03lu MHz from %s%s; %s, %s", clock_state.tsc_khz / 1000, clock_state.tsc_khz % 1000,
             clock_state.source, clock_state.emulated_tsc ? " (emulated: each read exits)" : "", apic_name(),
             platform.timer_name);
    log_info("CPU: %s; hypervisor %s;%s%s%s%s", f->brand, f->hypervisor[0] ? f->hypervisor : "none",
             f->smep ? " SMEP" : "", f->smap ? " SMAP" : "", f->umip ? " UMIP" : "", f->pcid ? " PCID" : "");
}

static void log_absent(void)
{
    char text[128];
    if (absent_describe(text, sizeof(text)))
        log_info("not found and left alone: %s", text);
}

static void offer_carrier(void)
{
    if (cmdline.streams == CMDLINE_streams_auto) {
        toolstack_init();
        return;
    }
    if (stream_use_serial())
        return;
    console_init(boot.cmdline); /* it can be said there only */
    log_error("streams=serial: there is no COM1");
    shutdown_machine(SHUTDOWN_BAD_CONFIG);
}

static void start_cpus(void)
{
    machine.cpu_source = cpus.source;
    machine.cpus_started = smp_start(&cpus, (uint32_t)cmdline.cpus);
    /* A table may leave out the CPU that reads it. */
    machine.cpus_found = cpus.count > machine.cpus_started ? (uint32_t)cpus.count : machine.cpus_started;
    if (cpus.refused)
        log_warn("%lu entries of the %s refused", cpus.refused, cpus.source);
    machine.tsc_skew_ns = clock_ticks_to_ns(smp_tsc_skew());
    if (machine.tsc_skew_ns)
        log_warn("TSCs of the CPUs differ: a step of %lu ns back was seen", machine.tsc_skew_ns);
    log_info("%u of %u CPUs, from %s", machine.cpus_started, machine.cpus_found, machine.cpu_source);
}

/* The direct map has [base, base + bytes): it lies in whole pages of one RAM entry. */
static bool is_mapped_ram(paddr_t base, uint64_t bytes)
{
    for (size_t i = 0; i < boot.memory.count; i++) {
        const struct memory_range *r = &boot.memory.ranges[i];
        paddr_t end = (r->base + r->bytes) & ~(uint64_t)(PAGE_SIZE - 1);
        if (r->type == MEMORY_RAM && base >= r->base && base < end && bytes <= end - base)
            return true;
    }
    return false;
}

static const struct image_header *choose_image(void)
{
    const struct image_header *image;
    const char *why, *origin = "built in";
    const void *bytes = image_default;
    uint64_t size = (uint64_t)(image_default_end - image_default);
    if (boot.module_count) {
        origin = "boot module";
        bytes = phys_to_virt(boot.modules[0].base);
        size = boot.modules[0].bytes;
    }
    if (boot.module_count && !is_mapped_ram(boot.modules[0].base, size)) {
        log_error("image (boot module, %lu bytes at %#lx) refused: it does not lie in RAM", size, boot.modules[0].base);
        shutdown_machine(SHUTDOWN_BAD_CONFIG);
    }
    if (image_check(bytes, size, &image, &why) != STATUS_OK) {
        log_error("image (%s, %lu bytes) refused: %s", origin, size, why);
        shutdown_machine(SHUTDOWN_BAD_CONFIG);
    }
    log_info("image '%s' (%s): %u processes, %u objects", image->name, origin, image->processes, image->objects);
    return image;
}

static void init_profile(const char *image, const struct process *processes, uint32_t count)
{
    struct profile_wish wish = {.hz = cmdline.prof,
                                .by_host = cmdline.nmi == CMDLINE_nmi_sample,
                                .cpus = machine.cpus_started,
                                .image = image,
                                .processes = processes,
                                .process_count = count};
    enum status s = profile_init(&wish);
    if (s == STATUS_OK)
        return;
    log_error("prof=: %s", s == STATUS_NOT_FOUND ? "there is no CPU without processes to take the samples; start the "
                                                   "guest with one CPU more, or send NMIs and say nmi=sample"
                                                 : "no memory for the samples");
    shutdown_machine(SHUTDOWN_BAD_CONFIG);
}

static void load(uint64_t entry_tsc)
{
    static struct vvar vvar;
    bool ticks = cmdline.unit == CMDLINE_unit_instructions;
    vvar = (struct vvar){.magic = VVAR_MAGIC,
                         .version = 1,
                         .tsc_base = clock_state.tsc_base,
                         .ns_mult = clock_state.mult,
                         .sample_mult = ticks ? UINT64_C(1) << 32 : clock_state.mult,
                         .entry_tsc = entry_tsc,
                         .features = (entry_is_sysenter() ? VVAR_FEATURE_SYSENTER : 0) |
                                     (features_get()->tsc_invariant ? VVAR_FEATURE_TSC_INVARIANT : 0) |
                                     (features_get()->hypervisor_base ? VVAR_FEATURE_HYPERVISOR : 0),
                         .cpu_count = machine.cpus_started,
                         .unit = (uint32_t)cmdline.unit,
                         .steal_offset = steal_offset()};
    size_t n = strlen(boot.cmdline);
    memcpy(vvar.arguments, boot.cmdline, n < VVAR_ARGUMENTS_BYTES ? n : VVAR_ARGUMENTS_BYTES - 1);
    const struct image_header *image = choose_image();
    enum status s = load_image(image, &vvar, machine.cpus_started);
    if (s != STATUS_OK) {
        log_error("image refused: %s", s == STATUS_RESOURCE_EXHAUSTED ? "out of memory" : "see above");
        shutdown_machine(SHUTDOWN_BAD_CONFIG);
    }
    log_open_to_all();
    hooks_reserve(machine.cpus_started, vvar.sample_mult, ticks ? "instructions" : "ns");
    modules_register();
    control_init();
    toolstack_listen(cmdline.grace_ms * 1000000);
    if (!load_register_modules())
        shutdown_machine(SHUTDOWN_BAD_CONFIG);
    uint32_t count;
    const struct process *processes = load_processes(&count);
    init_profile(image->name, processes, count);
    page_seal();
    census_begin(processes, count, machine.cpus_started);
    hotplug_begin(processes, count, machine.cpus_started);
    publisher_start(processes, count, machine.cpus_started);
    log_info("%lu KiB of memory left, allocation is over", page_free_bytes() >> 10);
}

/* They come on at each CPU's first look at its inbox, before any process there runs. */
static void start_hooks(void)
{
    const char *bad = "";
    size_t n = 0;
    enum status s = hooks_start(cmdline.hooks, &bad, &n);
    if (s == STATUS_OK)
        return;
    log_error("hooks=: '%.*s': %s", (int)n, bad,
              s == STATUS_NOT_FOUND ? "no such hook; there are audit, latency and lockdown" : "no memory for it");
    shutdown_machine(SHUTDOWN_BAD_CONFIG);
}

void kernel_main(uint32_t multiboot2_magic, paddr_t info, uint64_t entry_tsc)
{
    trap_init();
    features_init();
    xen_detect();
    machine.entry_tsc = entry_tsc;
    uart_init();
    xen_early_begin();
    xen_power_begin();
    read_boot_info(multiboot2_magic, info);
    read_cmdline();
    choose_switches();
    init_memory();
    struct clock_hints hints = read_firmware(entry_tsc);
    paging_init(&boot.memory);
    power_map();
    percpu_create(0);
    percpu_activate(0);
    choose_entry();
    init_time(&hints);
    ioapic_init(&cpus);
    speculation_init(cmdline.mitigations == CMDLINE_mitigations_auto);
    offer_carrier();
    console_init(boot.cmdline);
    log_absent();
    start_cpus();
    device_init(&boot.memory, cpus.lapic_base, hints.hpet_base);
    load(entry_tsc);
    start_hooks();
    profile_start();
    if (cmdline.panic == CMDLINE_panic_test)
        panic("asked for by panic=test");
    if (cmdline.panic == CMDLINE_panic_fault)
        store_relaxed((uint8_t *)(uint64_t)load_image, 0); /* the kernel's text is read-only: a page fault */
    shutdown_others_exist(machine.cpus_started);
    smp_release();
    enter_user();
}
