/* SPDX-License-Identifier: MIT
 * The answers for CPUs as they were sold and as hypervisors show them, and a CPU played by the test that fails it when
 * a leaf or an MSR is touched that it has not announced: in a guest that would be an exception, and the end. */
#include "arch/x86_64/speculation.h"

#include "arch/x86_64/features.h"

#include <arch/cpu.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

#define RTM (1u << 11)
#define SPEC_CTRL (1u << 26)
#define CAPABILITIES (1u << 29)
#define AMD_SSB_NO (1u << 26)
#define AMD_BTC_NO (1u << 29)
#define AMD_AUTO_IBRS (1u << 8)
#define AMD_SRSO_NO (1u << 29)

static const struct {
    const char *name;
    struct speculation_words words;
    const char *text; /* behind "auto" */
    uint32_t spec_ctrl;
    bool auto_ibrs;
} cpus[] = {
    {.name = "Skylake, 2016, no microcode",
     .words = {.vendor = "GenuineIntel", .signature = 0x506e3, .leaf7_ebx = 0x029c6fbf},
     .text = "; VULNERABLE: meltdown (no PTI), mds taa (no VERW), spectre_v2 bhi (no retpolines), retbleed (plain "
             "returns), ssb (no SSBD); mitigated: spectre_v1 (masked), swapgs (lfence), l1tf (entries zeroed); "
             "not affected: srso"},
    {.name = "Kaby Lake with microcode, as KVM shows it: RSBA, no TSX",
     .words = {.vendor = "GenuineIntel",
               .signature = 0x906e9,
               .leaf7_ebx = 0x029c67af,
               .leaf7_edx = 0xac000400,
               .arch_capabilities = 0x0c000c0c},
     .text =
         "; VULNERABLE: meltdown (no PTI), mds (no VERW), spectre_v2 bhi (no retpolines), retbleed (plain returns), "
         "ssb (no SSBD); mitigated: spectre_v1 (masked), swapgs (lfence), l1tf (entries zeroed); "
         "not affected: taa srso"},
    {.name = "Haswell",
     .words = {.vendor = "GenuineIntel", .signature = 0x306c3, .leaf7_ebx = 0x27ab, .leaf7_edx = 0x9c000600},
     .text =
         "; VULNERABLE: meltdown (no PTI), mds (no VERW), spectre_v2 bhi (no retpolines), ssb (no SSBD); mitigated: "
         "spectre_v1 (masked), swapgs (lfence), l1tf (entries zeroed); not affected: taa retbleed srso"},
    {.name = "Cascade Lake with TSX",
     .words = {.vendor = "GenuineIntel",
               .signature = 0x50657,
               .leaf7_ebx = 0xd39ffffb,
               .leaf7_edx = 0xbc000400,
               .arch_capabilities = 0xab},
     .text = "; VULNERABLE: taa (no VERW), bhi (history kept), ssb (no SSBD); mitigated: spectre_v1 (masked), swapgs "
             "(lfence), spectre_v2 retbleed (enhanced IBRS, no IBPB); not affected: meltdown l1tf mds srso",
     .spec_ctrl = 1},
    {.name = "Ice Lake server",
     .words = {.vendor = "GenuineIntel",
               .signature = 0x606a6,
               .leaf7_ebx = 0xf3bfa7eb,
               .leaf7_edx = 0xfc100510,
               .arch_capabilities = 0x0808016b},
     .text = "; VULNERABLE: bhi (history kept), ssb (no SSBD); mitigated: spectre_v1 (masked), swapgs (lfence), "
             "spectre_v2 (enhanced IBRS, no IBPB); not affected: meltdown l1tf mds taa retbleed srso",
     .spec_ctrl = 1},
    {.name = "Sapphire Rapids",
     .words = {.vendor = "GenuineIntel",
               .signature = 0x806f8,
               .leaf7_ebx = 0xf3bfbfff,
               .leaf7_edx = 0xffdd4432,
               .leaf7_2_edx = 0x17,
               .arch_capabilities = 0x0d0fd6eb},
     .text = "; VULNERABLE: taa (no VERW), ssb (no SSBD); mitigated: spectre_v1 (masked), swapgs (lfence), spectre_v2 "
             "(enhanced IBRS, no IBPB), bhi (BHI_DIS_S); not affected: meltdown l1tf mds retbleed srso",
     .spec_ctrl = 0x401},
    {.name = "the same, TAA_NO and BHI_NO shown",
     .words = {.vendor = "GenuineIntel",
               .signature = 0x806f8,
               .leaf7_ebx = 0xf3bfbfff,
               .leaf7_edx = 0xffdd4432,
               .leaf7_2_edx = 0x17,
               .arch_capabilities = 0x0d1fd7eb},
     .text = "; VULNERABLE: ssb (no SSBD); mitigated: spectre_v1 (masked), swapgs (lfence), spectre_v2 (enhanced IBRS, "
             "no IBPB); not affected: meltdown l1tf mds taa bhi retbleed srso",
     .spec_ctrl = 1},
    {.name = "Denverton (Goldmont), no ARCH_CAPABILITIES",
     .words = {.vendor = "GenuineIntel", .signature = 0x506f1, .leaf7_edx = 0x8c000000},
     .text = "; VULNERABLE: meltdown (no PTI), spectre_v2 bhi (no retpolines), ssb (no SSBD); mitigated: "
             "spectre_v1 (masked); not affected: l1tf mds taa swapgs retbleed srso"},
    {.name = "Avoton (Silvermont)",
     .words = {.vendor = "GenuineIntel", .signature = 0x406d8},
     .text = "; VULNERABLE: meltdown (no PTI), mds (no VERW), spectre_v2 bhi (no retpolines); mitigated: spectre_v1 "
             "(masked); not affected: l1tf taa swapgs retbleed srso ssb"},
    {.name = "Opteron of family 0x10",
     .words = {.vendor = "AuthenticAMD", .signature = 0x100f42},
     .text =
         "; VULNERABLE: spectre_v2 (no retpolines); mitigated: spectre_v1 (masked); not affected: meltdown l1tf mds "
         "taa swapgs bhi retbleed srso ssb"},
    {.name = "Zen 2",
     .words = {.vendor = "AuthenticAMD", .signature = 0x830f10, .leaf7_ebx = 0x219c91a9, .extended8_ebx = 0x18cf757},
     .text = "; VULNERABLE: spectre_v2 (no retpolines), retbleed srso (plain returns), ssb (no SSBD); mitigated: "
             "spectre_v1 (masked); not affected: meltdown l1tf mds taa swapgs bhi"},
    {.name = "Dhyana",
     .words = {.vendor = "HygonGenuine", .signature = 0x900f02},
     .text = "; VULNERABLE: spectre_v2 (no retpolines), retbleed srso (plain returns), ssb (no SSBD); mitigated: "
             "spectre_v1 (masked); not affected: meltdown l1tf mds taa swapgs bhi"},
    {.name = "Zen 2 of which a hypervisor says SRSO_NO",
     .words =
         {.vendor = "AuthenticAMD", .signature = 0x830f10, .extended8_ebx = 0x18cf757, .extended21_eax = AMD_SRSO_NO},
     .text = "; VULNERABLE: spectre_v2 (no retpolines), retbleed (plain returns), ssb (no SSBD); mitigated: "
             "spectre_v1 (masked); not affected: meltdown l1tf mds taa swapgs bhi srso"},
    {.name = "Zen 4",
     .words = {.vendor = "AuthenticAMD", .signature = 0xa10f11, .extended8_ebx = 0x791ef257, .extended21_eax = 0x62fcf},
     .text = "; VULNERABLE: srso (plain returns), ssb (no SSBD); mitigated: spectre_v1 (masked), spectre_v2 (AutoIBRS, "
             "no IBPB); not affected: meltdown l1tf mds taa swapgs bhi retbleed",
     .auto_ibrs = true},
    {.name = "Zen 4 under an old KVM that fakes ARCH_CAPABILITIES",
     .words = {.vendor = "AuthenticAMD",
               .signature = 0xa10f11,
               .leaf7_edx = CAPABILITIES,
               .extended8_ebx = AMD_BTC_NO,
               .arch_capabilities = 0x69},
     .text = "; VULNERABLE: spectre_v2 (no retpolines), srso (plain returns), ssb (no SSBD); mitigated: spectre_v1 "
             "(masked); not affected: meltdown l1tf mds taa swapgs bhi retbleed"},
    {.name = "Zen 5",
     .words = {.vendor = "AuthenticAMD",
               .signature = 0xb00f21,
               .extended8_ebx = AMD_BTC_NO | AMD_SSB_NO,
               .extended21_eax = AMD_AUTO_IBRS},
     .text = "; mitigated: spectre_v1 (masked), spectre_v2 (AutoIBRS, no IBPB); not affected: meltdown l1tf mds taa "
             "swapgs bhi retbleed srso ssb",
     .auto_ibrs = true},
    {.name = "QEMU's max under TCG",
     .words = {.vendor = "AuthenticAMD", .signature = 0x60fb1, .extended8_ebx = 0},
     .text =
         "; VULNERABLE: spectre_v2 (no retpolines); mitigated: spectre_v1 (masked); not affected: meltdown l1tf mds "
         "taa swapgs bhi retbleed srso ssb"},
    {.name = "the same with vendor=GenuineIntel",
     .words = {.vendor = "GenuineIntel", .signature = 0x60fb1},
     .text =
         "; VULNERABLE: meltdown (no PTI), mds (no VERW), spectre_v2 bhi (no retpolines), ssb (no SSBD); mitigated: "
         "spectre_v1 (masked), swapgs (lfence), l1tf (entries zeroed); not affected: taa retbleed srso"},
    {.name = "nobody knows; SPEC_CTRL is missing although IBRS_ALL is claimed",
     .words = {.vendor = "Unheard Of!!", .signature = 0x506e3, .leaf7_edx = CAPABILITIES, .arch_capabilities = 2},
     .text =
         "; VULNERABLE: meltdown (no PTI), mds (no VERW), spectre_v2 bhi (no retpolines), ssb (no SSBD); mitigated: "
         "spectre_v1 (masked), swapgs (lfence), l1tf (entries zeroed); not affected: taa retbleed srso"},
};
#define CPUS (sizeof(cpus) / sizeof(cpus[0]))

Test(speculation, cpus_as_sold)
{
    for (size_t i = 0; i < CPUS; i++) {
        struct speculation s;
        char text[SPECULATION_TEXT_BYTES];
        speculation_decode(&cpus[i].words, true, &s);
        speculation_describe(&s, true, text, sizeof(text));
        cr_assert(eq(int, strncmp(text, "auto", 4), 0));
        cr_assert(eq(int, strcmp(text + 4, cpus[i].text), 0), "%s:\n%s", cpus[i].name, text + 4);
        cr_assert(eq(u32, s.spec_ctrl, cpus[i].spec_ctrl), "%s", cpus[i].name);
        cr_assert(eq(int, s.auto_ibrs, cpus[i].auto_ibrs), "%s", cpus[i].name);
    }
}

/* Only what would have been switched on is different. */
Test(speculation, off)
{
    for (size_t i = 0; i < CPUS; i++) {
        struct speculation on, off;
        speculation_decode(&cpus[i].words, true, &on);
        speculation_decode(&cpus[i].words, false, &off);
        cr_assert(eq(u32, off.spec_ctrl, 0));
        cr_assert(not(off.auto_ibrs));
        for (int bug = 0; bug < SPECULATION_BUGS; bug++) {
            int a = on.answers[bug];
            bool switched = a == SPECULATION_EIBRS || a == SPECULATION_AUTO_IBRS || a == SPECULATION_BHI_DIS_S;
            cr_assert(eq(int, off.answers[bug], switched ? SPECULATION_OFF : a), "%s, %d", cpus[i].name, bug);
        }
    }
}

static uint64_t random_word(void)
{
    return (uint64_t)mrand48() << 32 ^ (uint64_t)(uint32_t)mrand48();
}

static struct speculation_words random_words(void)
{
    static const char *const vendors[] = {"GenuineIntel", "AuthenticAMD", "HygonGenuine", "CentaurHauls", ""};
    return (struct speculation_words){.vendor = vendors[(uint64_t)lrand48() % 5],
                                      .signature = (uint32_t)random_word(),
                                      .leaf7_ebx = (uint32_t)random_word(),
                                      .leaf7_edx = (uint32_t)random_word(),
                                      .leaf7_2_edx = (uint32_t)random_word(),
                                      .extended8_ebx = (uint32_t)random_word(),
                                      .extended21_eax = (uint32_t)random_word(),
                                      .arch_capabilities = random_word() & random_word()};
}

static int times(const char *text, const char *name)
{
    int found = 0;
    for (const char *at = text; (at = strstr(at, name)); at += strlen(name))
        found += (at[-1] == ' ') && (at[strlen(name)] == ' ' || !at[strlen(name)] || at[strlen(name)] == ';');
    return found;
}

/* Any CPU: every bug is named once, the line is whole, and fits the log and a quoted word of the results. */
Test(speculation, text_of_any_cpu)
{
    static const char *const names[] = {"meltdown",   "l1tf", "mds",  "taa",      "spectre_v1", "swapgs",
                                        "spectre_v2", "bhi",  "srso", "retbleed", "ssb"};
    srand48(7);
    for (int round = 0; round < 200000; round++) {
        struct speculation_words w = random_words();
        struct speculation s;
        char text[1024];
        speculation_decode(&w, round & 1, &s);
        speculation_describe(&s, round & 1, text, sizeof(text));
        cr_assert(lt(sz, strlen(text), SPECULATION_TEXT_BYTES), "%s", text);
        cr_assert(eq(sz, strcspn(text, "\"[]\n"), strlen(text)));
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            cr_assert(eq(int, times(text, names[i]), 1), "%s in %s", names[i], text);
    }
}

Test(speculation, text_is_cut_at_the_end_of_the_buffer)
{
    struct speculation s;
    char whole[1024];
    speculation_decode(&cpus[0].words, true, &s);
    speculation_describe(&s, true, whole, sizeof(whole));
    for (size_t n = 1; n <= strlen(whole) + 1; n++) {
        char *text = malloc(n);
        speculation_describe(&s, true, text, n);
        cr_assert(eq(sz, strlen(text), n - 1));
        cr_assert(eq(int, strncmp(text, whole, n - 1), 0));
        free(text);
    }
}

/* The CPU that the test plays. */
static struct cpu_features features;
static struct speculation_words cpu;
static uint64_t efer, spec_ctrl;
static int efer_writes, spec_ctrl_writes;

const struct cpu_features *features_get(void)
{
    return &features;
}

struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs r = {0};
    if (leaf == 7)
        cr_assert(le(u32, subleaf, features.leaf7_max));
    else
        cr_assert(le(u32, leaf, features.extended_max));
    if (leaf == 7 && subleaf == 2)
        r.edx = cpu.leaf7_2_edx;
    else if (leaf == 0x80000008)
        r.ebx = cpu.extended8_ebx;
    else if (leaf == 0x80000021)
        r.eax = cpu.extended21_eax;
    else
        cr_fail("leaf %#x was not asked for", leaf);
    return r;
}

uint64_t rdmsr(uint32_t msr)
{
    if (msr == 0xc0000080)
        return efer;
    cr_assert(eq(u32, msr, 0x10a));
    cr_assert(ne(u32, cpu.leaf7_edx & CAPABILITIES, 0));
    return cpu.arch_capabilities;
}

void wrmsr(uint32_t msr, uint64_t value)
{
    if (msr == 0xc0000080) {
        cr_assert(ne(u32, cpu.extended21_eax & AMD_AUTO_IBRS, 0));
        efer = value;
        efer_writes++;
        return;
    }
    cr_assert(eq(u32, msr, 0x48));
    cr_assert(ne(u32, cpu.leaf7_edx & SPEC_CTRL, 0));
    cr_assert(eq(u64, value & ~0x401ull, 0));
    if (value & 0x400)
        cr_assert(ne(u32, cpu.leaf7_2_edx & 0x10, 0));
    spec_ctrl = value;
    spec_ctrl_writes++;
}

static void start(const struct speculation_words *words, uint32_t leaf7_max, uint32_t extended_max, bool enable)
{
    cpu = *words;
    features = (struct cpu_features){.signature = cpu.signature,
                                     .leaf7_ebx = cpu.leaf7_ebx,
                                     .leaf7_edx = cpu.leaf7_edx,
                                     .leaf7_max = leaf7_max,
                                     .extended_max = extended_max};
    strncpy(features.vendor, cpu.vendor, sizeof(features.vendor) - 1);
    efer = 0xd01;
    spec_ctrl = 0;
    efer_writes = spec_ctrl_writes = 0;
    speculation_init(enable);
    speculation_activate(); /* as another CPU does */
}

Test(speculation, switched_on_by_every_cpu)
{
    for (size_t i = 0; i < CPUS; i++) {
        start(&cpus[i].words, 2, 0x80000021, true);
        cr_assert(eq(u64, spec_ctrl, cpus[i].spec_ctrl), "%s", cpus[i].name);
        cr_assert(eq(int, spec_ctrl_writes, cpus[i].spec_ctrl ? 2 : 0));
        cr_assert(eq(u64, efer, cpus[i].auto_ibrs ? 0x200d01 : 0xd01), "%s", cpus[i].name);
        cr_assert(eq(int, efer_writes, cpus[i].auto_ibrs ? 2 : 0));
        start(&cpus[i].words, 2, 0x80000021, false);
        cr_assert(eq(int, spec_ctrl_writes + efer_writes, 0), "%s", cpus[i].name);
        cr_assert(eq(int, strncmp(speculation_text(), "off", 3), 0));
    }
}

Test(speculation, nothing_is_touched_that_the_cpu_has_not_announced)
{
    static const uint32_t extended[] = {0, 0x80000004, 0x80000007, 0x80000008, 0x80000020, 0x80000021};
    srand48(8);
    for (int round = 0; round < 300; round++) {
        struct speculation_words w = random_words();
        start(&w, (uint32_t)lrand48() % 3, extended[lrand48() % 6], true);
    }
}
