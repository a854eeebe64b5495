/* SPDX-License-Identifier: MIT
 * The CPU says which bugs it does not have (ARCH_CAPABILITIES, extended leaves); silence means that it has them, but
 * for vendors and models that are known not to. Under a hypervisor all of this is what the hypervisor lets through. */
#include "arch/x86_64/speculation.h"

#include "arch/x86_64/asm.h"
#include "arch/x86_64/features.h"
#include "sys/lib/log.h"
#include "sys/lib/string.h"

#include <arch/cpu.h>

#define BIT(n) (UINT32_C(1) << (n))

#define LEAF7_EBX_RTM BIT(11)
#define LEAF7_EDX_SPEC_CTRL BIT(26)
#define LEAF7_EDX_ARCH_CAPABILITIES BIT(29)
#define LEAF7_2_EDX_BHI_CTRL BIT(4)
#define EXTENDED8_EBX_SSB_NO BIT(26)
#define EXTENDED8_EBX_BTC_NO BIT(29)
#define EXTENDED21_EAX_AUTO_IBRS BIT(8)
#define EXTENDED21_EAX_SRSO_NO BIT(29)

#define MSR_SPEC_CTRL 0x48
#define MSR_ARCH_CAPABILITIES 0x10a
#define SPEC_CTRL_IBRS BIT(0)
#define SPEC_CTRL_BHI_DIS_S BIT(10)
#define EFER_AUTO_IBRS BIT(21)

/* Facts: the low bits of ARCH_CAPABILITIES where the MSR has them, and above them what follows from the rest. */
#define RDCL_NO BIT(0)
#define IBRS_ALL BIT(1)
#define RSBA BIT(2)
#define SSB_NO BIT(4)
#define MDS_NO BIT(5)
#define TSX_CTRL BIT(7)
#define TAA_NO BIT(8)
#define BHI_NO BIT(20)
#define CAPABILITIES_USED (RDCL_NO | IBRS_ALL | RSBA | SSB_NO | MDS_NO | TSX_CTRL | TAA_NO | BHI_NO)
#define MODEL_SHIFT 24
#define L1TF_NO BIT(24)
#define BUFFERS_NO BIT(25)
#define SWAPGS_NO BIT(26)
#define BYPASS_NO BIT(27)
#define RETURNS_BAD BIT(28)
#define AMD BIT(29)
#define RETBLEED_NO BIT(30)
#define SRSO_NO BIT(31)

/* What Intel's CPUs of family 6 do not say of themselves. */
#define SILVERMONT ((L1TF_NO | SWAPGS_NO | BYPASS_NO) >> MODEL_SHIFT)
#define AIRMONT ((L1TF_NO | SWAPGS_NO) >> MODEL_SHIFT)
#define GOLDMONT ((L1TF_NO | SWAPGS_NO | BUFFERS_NO) >> MODEL_SHIFT)
#define SKYLAKE (RETURNS_BAD >> MODEL_SHIFT)

static const struct {
    uint8_t model, facts;
} intel_models[] = {
    {0x37, SILVERMONT}, {0x4a, SILVERMONT}, {0x4d, SILVERMONT}, {0x4c, SILVERMONT}, /* Silvermont, Airmont */
    {0x57, SILVERMONT}, {0x85, SILVERMONT},                                         /* Xeon Phi */
    {0x5a, AIRMONT},    {0x75, AIRMONT},                                            /* later Airmonts */
    {0x5c, GOLDMONT},   {0x5f, GOLDMONT},   {0x7a, GOLDMONT},                       /* Goldmont, Goldmont Plus */
    {0x4e, SKYLAKE},    {0x5e, SKYLAKE},    {0x55, SKYLAKE},                     /* Skylake to Cascade, Cooper Lake */
    {0x8e, SKYLAKE},    {0x9e, SKYLAKE},    {0xa5, SKYLAKE},    {0xa6, SKYLAKE}, /* Kaby Lake to Comet Lake */
    {0x66, SKYLAKE},    {0x7e, SKYLAKE},    {0x8a, SKYLAKE},    {0xa7, SKYLAKE}, /* Cannon, Ice, Rocket Lake */
};

/* A CPU has a bug unless one of these facts holds; the answer then, without what the CPU offers against it. */
static const struct {
    uint32_t unless;
    uint8_t answer;
} rules[SPECULATION_BUGS] = {
    [SPECULATION_MELTDOWN] = {AMD | RDCL_NO, SPECULATION_NO_PTI},
    [SPECULATION_L1TF] = {AMD | RDCL_NO | L1TF_NO, SPECULATION_ZEROED},
    [SPECULATION_MDS] = {AMD | MDS_NO | BUFFERS_NO, SPECULATION_NO_VERW},
    [SPECULATION_TAA] = {AMD | TAA_NO, SPECULATION_NO_VERW},
    [SPECULATION_SPECTRE_V1] = {0, SPECULATION_MASKED},
    [SPECULATION_SWAPGS] = {AMD | SWAPGS_NO, SPECULATION_LFENCE},
    [SPECULATION_SPECTRE_V2] = {0, SPECULATION_NO_RETPOLINES},
    [SPECULATION_BHI] = {AMD | BHI_NO, SPECULATION_NO_RETPOLINES},
    [SPECULATION_RETBLEED] = {RETBLEED_NO, SPECULATION_PLAIN_RETURNS},
    [SPECULATION_SRSO] = {SRSO_NO, SPECULATION_PLAIN_RETURNS},
    [SPECULATION_SSB] = {SSB_NO | BYPASS_NO, SPECULATION_NO_SSBD},
};

static const char bug_names[SPECULATION_BUGS][11] = {"meltdown",   "l1tf", "mds",      "taa",  "spectre_v1", "swapgs",
                                                     "spectre_v2", "bhi",  "retbleed", "srso", "ssb"};
/* One after the other, in the order of the enum. */
static const char answer_texts[] =
    "\0masked\0lfence\0entries zeroed\0enhanced IBRS, no IBPB\0AutoIBRS, no IBPB\0BHI_DIS_S\0"
    "no PTI\0no VERW\0no retpolines\0history kept\0plain returns\0no SSBD\0off";

static struct speculation decided; /* [I] after speculation_init */
static char text[SPECULATION_TEXT_BYTES];

static uint32_t family_of(uint32_t signature)
{
    uint32_t family = signature >> 8 & 15;
    return family == 15 ? family + (signature >> 20 & 255) : family;
}

static bool is_amd(const char *vendor)
{
    return !strcmp(vendor, "AuthenticAMD") || !strcmp(vendor, "HygonGenuine");
}

static uint32_t facts_amd(const struct speculation_words *w, uint32_t family)
{
    uint32_t facts = AMD;
    if (family < 0x15 || family > 0x18 || w->extended8_ebx & EXTENDED8_EBX_BTC_NO)
        facts |= RETBLEED_NO;
    if (family < 0x17 || family > 0x19 || w->extended21_eax & EXTENDED21_EAX_SRSO_NO)
        facts |= SRSO_NO;
    if (w->extended8_ebx & EXTENDED8_EBX_SSB_NO || (family >= 0xf && family <= 0x12))
        facts |= BYPASS_NO;
    return facts;
}

static uint32_t facts_intel(const struct speculation_words *w, uint32_t family)
{
    uint32_t model = (w->signature >> 4 & 15) | (w->signature >> 12 & 0xf0);
    if (family == 6 && !strcmp(w->vendor, "GenuineIntel"))
        for (size_t i = 0; i < sizeof(intel_models) / sizeof(intel_models[0]); i++)
            if (intel_models[i].model == model)
                return (uint32_t)intel_models[i].facts << MODEL_SHIFT;
    return 0;
}

static uint32_t facts_of(const struct speculation_words *w)
{
    uint32_t family = family_of(w->signature);
    uint32_t facts = (uint32_t)w->arch_capabilities & CAPABILITIES_USED;
    if (is_amd(w->vendor))
        return facts | facts_amd(w, family);
    facts |= facts_intel(w, family) | SRSO_NO;
    if (!(facts & (RETURNS_BAD | RSBA)))
        facts |= RETBLEED_NO;
    if (!(w->leaf7_ebx & LEAF7_EBX_RTM) && !(facts & TSX_CTRL))
        facts |= TAA_NO;
    return facts;
}

void speculation_decode(const struct speculation_words *words, bool enable, struct speculation *out)
{
    uint32_t facts = facts_of(words);
    bool eibrs = words->leaf7_edx & LEAF7_EDX_SPEC_CTRL && facts & IBRS_ALL;
    bool auto_ibrs = !eibrs && facts & AMD && words->extended21_eax & EXTENDED21_EAX_AUTO_IBRS;
    uint8_t *a = out->answers;
    *out = (struct speculation){0};
    for (uint32_t bug = 0; bug < SPECULATION_BUGS; bug++)
        if (!(facts & rules[bug].unless))
            a[bug] = rules[bug].answer;
    if (eibrs || auto_ibrs)
        a[SPECULATION_SPECTRE_V2] = !enable ? SPECULATION_OFF : eibrs ? SPECULATION_EIBRS : SPECULATION_AUTO_IBRS;
    out->auto_ibrs = enable && auto_ibrs;
    if (!eibrs)
        return;
    out->spec_ctrl = enable ? SPEC_CTRL_IBRS : 0;
    /* Intel's returns fall back on the branch predictor, which IBRS guards, when the return stack is empty. */
    if (a[SPECULATION_RETBLEED] && !(facts & AMD))
        a[SPECULATION_RETBLEED] = a[SPECULATION_SPECTRE_V2];
    if (!a[SPECULATION_BHI])
        return;
    a[SPECULATION_BHI] = SPECULATION_HISTORY_KEPT;
    if (words->leaf7_2_edx & LEAF7_2_EDX_BHI_CTRL) {
        a[SPECULATION_BHI] = enable ? SPECULATION_BHI_DIS_S : SPECULATION_OFF;
        out->spec_ctrl |= enable ? SPEC_CTRL_BHI_DIS_S : 0;
    }
}

/* Text that grows in a buffer; what does not fit is cut. */
struct line {
    char *out;
    size_t n, used;
};

static void put(struct line *l, const char *s)
{
    while (*s && l->used + 1 < l->n)
        l->out[l->used++] = *s++;
    l->out[l->used] = '\0';
}

static void put_answer(struct line *l, uint32_t answer)
{
    const char *s = answer_texts;
    while (answer--)
        s += strlen(s) + 1;
    put(l, " (");
    put(l, s);
    put(l, ")");
}

/* All bugs with the answers low .. high, those with one answer together: "meltdown (no PTI), mds taa (no VERW)". */
static void put_answers(struct line *l, const uint8_t *answers, const char *title, uint32_t low, uint32_t high)
{
    const char *before = title;
    for (uint32_t answer = low; answer <= high; answer++) {
        bool named = false;
        for (uint32_t bug = 0; bug < SPECULATION_BUGS; bug++) {
            if (answers[bug] != answer)
                continue;
            put(l, named ? " " : before);
            put(l, bug_names[bug]);
            named = true;
        }
        if (!named)
            continue;
        before = ", ";
        if (answer != SPECULATION_NOT_AFFECTED)
            put_answer(l, answer);
    }
}

void speculation_describe(const struct speculation *s, bool enable, char *out, size_t n)
{
    struct line l = {.out = out, .n = n};
    put(&l, enable ? "auto" : "off");
    put_answers(&l, s->answers, "; VULNERABLE: ", SPECULATION_NO_PTI, SPECULATION_OFF);
    put_answers(&l, s->answers, "; mitigated: ", SPECULATION_MASKED, SPECULATION_BHI_DIS_S);
    put_answers(&l, s->answers, "; not affected: ", SPECULATION_NOT_AFFECTED, SPECULATION_NOT_AFFECTED);
}

/* Each CPUID is an exit to the hypervisor, so only leaves that this vendor has. */
static struct speculation_words read_words(void)
{
    const struct cpu_features *f = features_get();
    struct speculation_words w = {
        .vendor = f->vendor, .signature = f->signature, .leaf7_ebx = f->leaf7_ebx, .leaf7_edx = f->leaf7_edx};
    bool amd = is_amd(f->vendor);
    if (!amd && f->leaf7_max >= 2)
        w.leaf7_2_edx = cpuid(7, 2).edx;
    if (amd && f->extended_max >= 0x80000008)
        w.extended8_ebx = cpuid(0x80000008, 0).ebx;
    if (amd && f->extended_max >= 0x80000021)
        w.extended21_eax = cpuid(0x80000021, 0).eax;
    if (f->leaf7_edx & LEAF7_EDX_ARCH_CAPABILITIES)
        w.arch_capabilities = rdmsr(MSR_ARCH_CAPABILITIES);
    return w;
}

void speculation_activate(void)
{
    if (decided.spec_ctrl)
        wrmsr(MSR_SPEC_CTRL, decided.spec_ctrl);
    if (decided.auto_ibrs)
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_AUTO_IBRS);
}

void speculation_init(bool enable)
{
    struct speculation_words words = read_words();
    speculation_decode(&words, enable, &decided);
    speculation_activate();
    speculation_describe(&decided, enable, text, sizeof(text));
    log_info("mitigations=%s", text);
}

const char *speculation_text(void)
{
    return text;
}
