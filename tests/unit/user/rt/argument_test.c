/* SPDX-License-Identifier: MIT
 * The command line on the host: a page mapped at USER_VVAR_BASE plays the kernel's vvar. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "user/rt/tern.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <sys/mman.h>

static void arguments_set(const char *text)
{
    static struct vvar *vvar;
    if (!vvar)
        vvar = mmap((void *)USER_VVAR_BASE, USER_PAGE_SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    cr_assert(eq(ptr, vvar, (void *)USER_VVAR_BASE));
    memset(vvar->arguments, 'x', sizeof vvar->arguments);
    strcpy(vvar->arguments, text);
}

static char *argument(const char *key)
{
    static char value[16];
    memset(value, '?', sizeof value);
    return tern_argument(key, value, sizeof value) ? value : value[0] == '\0' ? NULL : memcpy(value, "not empty", 10);
}

Test(argument, is_found_by_its_whole_key)
{
    arguments_set("rebench=1 bench=a,b  iterations=20 bench");
    cr_assert(eq(str, argument("bench"), "a,b"));
    cr_assert(eq(str, argument("iterations"), "20"));
    cr_assert(argument("iter") == NULL);
    cr_assert(argument("warmup") == NULL);
}

Test(argument, takes_the_last_one_and_may_be_empty)
{
    arguments_set("unit=ns unit=instructions bench=");
    cr_assert(eq(str, argument("unit"), "instructions"));
    cr_assert(eq(str, argument("bench"), ""));
}

Test(argument, that_does_not_fit_is_none)
{
    arguments_set("a=123456789012345 b=1234567890123456");
    cr_assert(eq(str, argument("a"), "123456789012345"));
    cr_assert(argument("b") == NULL);
}

Test(argument, stops_at_the_end_of_the_page_field)
{
    arguments_set("");
    cr_assert(argument("bench") == NULL);
    char long_text[VVAR_ARGUMENTS_BYTES];
    memset(long_text, 'k', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    arguments_set(long_text);
    cr_assert(argument("k") == NULL);
}

Test(argument, number)
{
    arguments_set("a=0 b=18446744073709551615 c=18446744073709551616 d=-1 e= f=12x");
    cr_assert(eq(u64, tern_argument_u64("a", 7), 0));
    cr_assert(eq(u64, tern_argument_u64("b", 7), UINT64_MAX));
    cr_assert(eq(u64, tern_argument_u64("c", 7), 7));
    cr_assert(eq(u64, tern_argument_u64("d", 7), 7));
    cr_assert(eq(u64, tern_argument_u64("e", 7), 7));
    cr_assert(eq(u64, tern_argument_u64("f", 7), 7));
    cr_assert(eq(u64, tern_argument_u64("g", 7), 7));
}
