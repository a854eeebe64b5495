/* SPDX-License-Identifier: MIT
 * The list of what is not there: order, no name twice, more names than places, buffers of every size. */
#include "sys/lib/absent.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

static char text[128];

Test(absent, nothing_is_absent_at_first)
{
    cr_assert(zero(sz, absent_describe(text, sizeof text)));
}

Test(absent, names_in_order_and_each_once)
{
    absent_note("PIT");
    absent_note("8259");
    absent_note("PIT");
    cr_assert(eq(sz, absent_describe(text, sizeof text), strlen("PIT, 8259")));
    cr_assert(eq(str, text, "PIT, 8259"));
}

Test(absent, names_that_do_not_fit_are_left_out)
{
    absent_note("HPET");
    absent_note("PIT");
    for (size_t n = 1; n < 12; n++) {
        char exact[16] = {0};
        exact[n] = '#';
        const size_t length = absent_describe(exact, n);
        cr_assert(eq(sz, length, n < 7 ? 0 : n < 10 ? 4 : 9), "%zu", n);
        cr_assert(eq(chr, exact[n], '#'));
        cr_assert(length == 0 || strncmp("HPET, PIT", exact, length) == 0);
    }
}

Test(absent, names_past_the_last_place_are_dropped)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        absent_note(names[i]);
    (void)absent_describe(text, sizeof text);
    cr_assert(eq(str, text, "a, b, c, d, e, f, g, h, i, j, k, l"));
}
