/* SPDX-License-Identifier: MIT
 * What KVM offers its guests beyond the hardware, each used where it is offered and kvm= does not forbid it. On any
 * other hypervisor, and on none, nothing is offered and every function here does nothing. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of their names in kvm=: steal realtime poll_control pv_eoi pv_ipi pv_unhalt clock. */
enum kvm_switch {
    KVM_STEAL,        /* stolen time of each CPU (arch/x86_64/steal.h) */
    KVM_REALTIME,     /* hint: the host gives each CPU a core, so idle=adaptive never halts */
    KVM_POLL_CONTROL, /* the host does not poll at a halt: Tern has polled before it, but for idle=hlt */
    KVM_PV_EOI,       /* the end of an interrupt without an exit */
    KVM_PV_IPI,       /* one exit for an interrupt to many CPUs */
    KVM_PV_UNHALT,    /* never used: a kick ends a halt only, and a CPU that runs has to be interrupted */
    KVM_CLOCK,        /* the rate of the time stamp counter, when CPUID does not tell it */
    KVM_SWITCH_COUNT
};

/* Reads what is offered, and `text`, the value of kvm= or NULL, which is checked on any hypervisor. `guest_polls`: CPUs
 * without work poll before they halt. False: *bad and *bad_bytes are the word that is no name. Boot CPU, once, after
 * features_init. */
bool kvm_choose(const char *text, bool guest_polls, const char **bad, size_t *bad_bytes);

/* Begins with all that is in use, on the boot CPU; others follow by platform.activate. After apic_activate. */
void kvm_start(void);

bool kvm_is_used(enum kvm_switch s);

/* Runs under KVM. */
bool kvm_is_present(void);

/* Names with commas, or "none"; valid until the next call of the same function. */
const char *kvm_used_text(void);
const char *kvm_offered_text(void);
const char *kvm_names_text(void);
