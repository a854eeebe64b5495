/* SPDX-License-Identifier: MIT
 * Requests taken apart, and answers put together. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "tests/unit/user/rt/kernel.h"
#include "user/rt/module.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

struct result channel_respond(uint64_t handle, const void *buffer, size_t n)
{
    const struct user_piece *pieces = buffer;
    uint32_t status;
    cr_assert(eq(u64, n, PIECES(2)));
    cr_assert(eq(u64, pieces[0].bytes, sizeof status));
    memcpy(&status, (const void *)pieces[0].address, sizeof status);
    note("respond %lu %u '%.*s';", handle, status, (int)pieces[1].bytes, (const char *)pieces[1].address);
    return next_result();
}

/* Allocated to the byte by the array's size: the text has no NUL. */
static void expect(const char *request, size_t n, const char *type, bool is, size_t payload)
{
    char text[32];
    size_t found = 99;
    memset(text, 'z', sizeof text);
    memcpy(text, request, n);
    cr_assert(tern_module_is(text, n, type, &found) == is, "'%.*s' and '%s'", (int)n, request, type);
    cr_assert(eq(u64, found, is ? payload : 99));
}

Test(module, type_is_the_whole_first_word)
{
    expect("say", 3, "say", true, 3);
    expect("say ", 4, "say", true, 4);
    expect("say hello", 9, "say", true, 4);
    expect("say  hello", 10, "say", true, 4);
    expect("says", 4, "say", false, 0);
    expect("sa", 2, "say", false, 0);
    expect("sa", 2, "saz", false, 0); /* what lies behind is no part of it */
    expect("", 0, "say", false, 0);
    expect("so hello", 8, "say", false, 0);
}

Test(module, answer_begins_with_its_status)
{
    queue_result(STATUS_OK, 0, 0);
    queue_result(STATUS_OUT_OF_RANGE, 0, 0);
    cr_assert(eq(int, tern_module_respond(3, STATUS_OK, "hello", 5).status, STATUS_OK));
    cr_assert(eq(int, tern_module_respond(4, STATUS_DATA_LOSS, "", 0).status, STATUS_OUT_OF_RANGE));
    cr_assert(eq(str, noted, "respond 3 0 'hello';respond 4 15 '';"));
}
