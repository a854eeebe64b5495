/* SPDX-License-Identifier: MIT
 * Every form of a word, what is no word, and texts that do not fit. */
#include "sys/lib/switches.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

static const char *const names[] = {"steal", "pv_eoi", "pv_ipi"};
enum { COUNT = 3, BEGIN = 5 };

Test(switches, good)
{
    static const struct {
        const char *text;
        uint32_t set;
    } cases[] = {{NULL, 5},
                 {"", 5},
                 {"none", 0},
                 {"all", 7},
                 {"+pv_eoi", 7},
                 {"pv_eoi", 7},
                 {"-steal", 4},
                 {"none,+pv_ipi", 4},
                 {"all,-pv_eoi", 5},
                 {"-steal,+steal", 5},
                 {"-steal,-pv_ipi,-pv_ipi", 0},
                 {"+steal,none", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t set = BEGIN;
        const char *bad = NULL;
        size_t n = 0;
        cr_assert(switches_parse(cases[i].text, names, COUNT, &set, &bad, &n), "%s", cases[i].text);
        cr_assert(eq(u32, set, cases[i].set), "%s", cases[i].text);
        cr_assert_null(bad);
    }
}

Test(switches, bad)
{
    static const struct {
        const char *text, *word;
    } cases[] = {{"steel", "steel"},
                 {"+steal,pv", "pv"},
                 {"-", ""},
                 {"+", ""},
                 {",", ""},
                 {"steal,", ""},
                 {"+none", "none"},
                 {"-all", "all"},
                 {"--steal", "-steal"},
                 {"steal ", "steal "},
                 {"pv_eoi,,steal", ""},
                 {"STEAL", "STEAL"},
                 {"none,x,y", "x"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t set = BEGIN;
        const char *bad = NULL;
        size_t n = 99;
        cr_assert(not(switches_parse(cases[i].text, names, COUNT, &set, &bad, &n)), "%s", cases[i].text);
        cr_assert(eq(u32, set, BEGIN), "%s: nothing is changed", cases[i].text);
        cr_assert(n == strlen(cases[i].word) && !strncmp(bad, cases[i].word, n), "%s: %.*s", cases[i].text, (int)n,
                  bad);
    }
}

Test(switches, all_of_32)
{
    static const char *const many[SWITCHES_MAX] = {[0 ... SWITCHES_MAX - 1] = "x"};
    uint32_t set = 0;
    const char *bad;
    size_t n;
    cr_assert(switches_parse("all", many, SWITCHES_MAX, &set, &bad, &n));
    cr_assert(eq(u32, set, UINT32_MAX));
}

Test(switches, text)
{
    char text[32], small[8];
    cr_assert_str_eq(switches_text(text, sizeof text, names, COUNT, 0, ","), "none");
    cr_assert_str_eq(switches_text(text, sizeof text, names, COUNT, 5, ","), "steal,pv_ipi");
    cr_assert_str_eq(switches_text(text, sizeof text, names, COUNT, ~0u, " "), "steal pv_eoi pv_ipi");
    cr_assert_str_eq(switches_text(small, sizeof small, names, COUNT, 7, ","), "steal,p");
}
