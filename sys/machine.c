/* SPDX-License-Identifier: MIT
 * The environment lines of the histogram stream. */
#include "sys/machine.h"

#include "arch/x86_64/features.h"
#include "arch/x86_64/kvm.h"
#include "drivers/xen/domain.h"
#include "drivers/xen/xen.h"
#include "arch/x86_64/speculation.h"
#include "sys/lib/printf.h"

#include <arch/apic.h>
#include <arch/clock.h>
#include <arch/entry.h>
#include <arch/platform.h>

#define NOTE_HEADER_BYTES 16 /* name size, descriptor size, type, "GNU\0" */

struct machine machine;
extern const unsigned char build_id_note[], build_id_note_end[];

const uint8_t *machine_build_id_bytes(void)
{
    static const uint8_t unknown[MACHINE_BUILD_ID_BYTES];
    bool known = build_id_note_end - build_id_note == NOTE_HEADER_BYTES + MACHINE_BUILD_ID_BYTES;
    return known ? build_id_note + NOTE_HEADER_BYTES : unknown;
}

const char *machine_build_id(void)
{
    static char text[41];
    size_t n = (size_t)(build_id_note_end - build_id_note);
    if (n != NOTE_HEADER_BYTES + 20)
        return "unknown";
    for (size_t i = 0; i < 20; i++)
        ksnprintf(text + 2 * i, 3, "%02x", build_id_note[NOTE_HEADER_BYTES + i]);
    return text;
}

/* Quotes and control characters would end the value. */
static void put_text(char *out, size_t n, const char *text)
{
    size_t i = 0;
    for (; text[i] && i + 1 < n; i++)
        out[i] = text[i] == '"' || text[i] < ' ' || text[i] > '~' || text[i] == ']' ? '_' : text[i];
    out[i] = 0;
}

size_t machine_describe(char *out, size_t n)
{
    const struct cpu_features *f = features_get();
    char brand[64], cmdline[512];
    put_text(brand, sizeof(brand), f->brand[0] ? f->brand : f->vendor);
    put_text(cmdline, sizeof(cmdline), machine.cmdline);
    int written = ksnprintf(
        out, n,
        "#[Tern environment build_id=%s boot_protocol=%s hypervisor=\"%s\" cpu_model=\"%s\"]\n"
        "#[Tern environment clock_source=\"%s%s\" tsc_khz=%lu tsc_skew_ns=%lu apic=\"%s, %s\" wake=\"%s\" entry=%s]\n"
        "#[Tern environment cpus_started=%u cpus_found=%u cpu_source=\"%s\" command_line=\"%s\"]\n"
        "#[Tern environment mitigations=\"%s\"]\n",
        machine_build_id(), machine.protocol, f->hypervisor[0] ? f->hypervisor : "none", brand, clock_state.source,
        clock_state.emulated_tsc ? ", emulated TSC" : "", clock_state.tsc_khz, machine.tsc_skew_ns, apic_name(),
        platform.timer_name, platform.wake_name, entry_is_sysenter() ? "sysenter" : "syscall", machine.cpus_started,
        machine.cpus_found, machine.cpu_source, cmdline, speculation_text());
    const struct xen_domain *x = xen_domain_get();
    if ((size_t)written < n && x->present)
        written += ksnprintf(out + written, n - (size_t)written,
                             "#[Tern environment xen=\"%s\" xen_version=%u.%u xen_domain=%s]\n", xen_used_text(),
                             x->version >> 16, x->version & 0xffff, x->initial ? "initial" : "guest");
    if ((size_t)written < n && kvm_is_present())
        written += ksnprintf(out + written, n - (size_t)written, "#[Tern environment kvm=\"%s\" kvm_offered=\"%s\"]\n",
                             kvm_used_text(), kvm_offered_text());
    return (size_t)written < n ? (size_t)written : n - 1;
}
