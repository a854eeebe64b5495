/* SPDX-License-Identifier: MIT
 * Speculation: which of the known vulnerabilities this CPU has by its own word, and what the kernel does about each.
 * The boot CPU decides once; every CPU then sets the same control bits, once. Nothing here costs a call anything.
 * Absent on purpose: page-table isolation, VERW, retpolines, IBPB (README.md here, Speculation). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPECULATION_TEXT_BYTES 232 /* with its key and the time it fits a line of the log */

/* What the answers follow from; a word is 0 if the CPU has no such leaf or MSR. */
struct speculation_words {
    const char *vendor; /* of CPUID 0 */
    uint32_t signature; /* CPUID 1 EAX: family, model */
    uint32_t leaf7_ebx, leaf7_edx;
    uint32_t leaf7_2_edx;
    uint32_t extended8_ebx;     /* CPUID 0x80000008 */
    uint32_t extended21_eax;    /* CPUID 0x80000021 */
    uint64_t arch_capabilities; /* MSR */
};

enum speculation_bug {
    SPECULATION_MELTDOWN,
    SPECULATION_L1TF,
    SPECULATION_MDS,
    SPECULATION_TAA,
    SPECULATION_SPECTRE_V1,
    SPECULATION_SWAPGS,
    SPECULATION_SPECTRE_V2,
    SPECULATION_BHI,
    SPECULATION_RETBLEED,
    SPECULATION_SRSO,
    SPECULATION_SSB,
    SPECULATION_BUGS,
};

/* The CPU does not have it; has it, and this prevents it; has it, and this is missing. */
enum speculation_answer {
    SPECULATION_NOT_AFFECTED,
    SPECULATION_MASKED,    /* indices, arch/index_mask.h */
    SPECULATION_LFENCE,    /* after the trap entries' conditional SWAPGS */
    SPECULATION_ZEROED,    /* absent page-table entries are 0 */
    SPECULATION_EIBRS,     /* user code does not steer the kernel's branches; nothing stands between processes */
    SPECULATION_AUTO_IBRS, /* AMD's name for the same */
    SPECULATION_BHI_DIS_S,
    SPECULATION_NO_PTI, /* from here on: vulnerable */
    SPECULATION_NO_VERW,
    SPECULATION_NO_RETPOLINES,
    SPECULATION_HISTORY_KEPT,
    SPECULATION_PLAIN_RETURNS,
    SPECULATION_NO_SSBD,
    SPECULATION_OFF, /* mitigations=off */
};

struct speculation {
    uint8_t answers[SPECULATION_BUGS]; /* enum speculation_answer */
    uint32_t spec_ctrl;                /* for the MSR of this name; 0: not to be touched, it may not exist */
    bool auto_ibrs;                    /* EFER gets the bit */
};

/* Pure. `enable` is mitigations=auto. An unknown vendor is taken for affected by what Intel's early CPUs have. */
void speculation_decode(const struct speculation_words *words, bool enable, struct speculation *out)
    __attribute__((cold));

/* One line of printable text without quotes or brackets, cut at n bytes with its terminator, n > 0. */
void speculation_describe(const struct speculation *s, bool enable, char *out, size_t n) __attribute__((cold));

/* Boot CPU, after features_init: decides, sets this CPU's bits, logs. */
void speculation_init(bool enable) __attribute__((cold));

/* Any other CPU, once, before it runs a process. */
void speculation_activate(void);

/* What speculation_init logged. */
const char *speculation_text(void);
