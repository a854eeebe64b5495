/* SPDX-License-Identifier: MIT
 * Log lines, verdicts, panic and names on the host; the calls below play the vDSO and remember what they got. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "user/rt/tern.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char logged[1024];
static size_t logged_bytes;

struct result debug_log(const char *bytes, size_t n)
{
    memcpy(logged + logged_bytes, bytes, n);
    logged_bytes += n;
    logged[logged_bytes] = '\0';
    return (struct result){.status = STATUS_OK};
}

/* The log becomes the exit: 0 if it is what the test expects. */
static const char *expected_log;

void debug_shutdown(uint64_t status)
{
    exit(strcmp(logged, expected_log) == 0 ? (int)status : 100);
}

void process_exit(int code)
{
    exit(strcmp(logged, expected_log) == 0 ? code : 100);
}

Test(log, adds_a_newline_and_cuts)
{
    tern_log("%s %u", "one", 2u);
    cr_assert(eq(str, logged, "one 2\n"));
    logged_bytes = 0;
    tern_log("%0300d", 5);
    cr_assert(eq(sz, logged_bytes, 256));
    cr_assert(eq(chr, logged[255], '\n'));
    cr_assert(eq(chr, logged[254], '0'));
}

Test(log, success_is_a_verdict, .exit_code = STATUS_OK)
{
    expected_log = "VERDICT: SUCCESS\n";
    tern_success();
}

Test(log, failure_is_a_verdict_with_its_reason, .exit_code = STATUS_DATA_LOSS)
{
    expected_log = "VERDICT: FAILURE 3 bytes lost\n";
    tern_failure(STATUS_DATA_LOSS, "%d bytes lost", 3);
}

Test(log, failure_never_ends_with_ok, .exit_code = STATUS_UNKNOWN)
{
    expected_log = "VERDICT: FAILURE x\n";
    tern_failure(STATUS_OK, "x");
}

Test(log, panic_says_where_and_ends_the_process, .exit_code = TERN_EXIT_PANIC)
{
    expected_log = "panic at some.c:7: 3 is not 4\n";
    tern_panic_at("some.c", 7, "%d is not %d", 3, 4);
}

Test(log, panic_gives_its_own_line, .exit_code = TERN_EXIT_PANIC)
{
    static char expected[256];
    snprintf(expected, sizeof expected, "panic at %s:%d: x\n", __FILE__, __LINE__ + 2);
    expected_log = expected;
    tern_panic("x");
}

/* A long path leaves room for the text. */
Test(log, panic_in_a_deep_folder, .exit_code = TERN_EXIT_PANIC)
{
    static char path[400], expected[256];
    memset(path, 'd', sizeof path - 1);
    memcpy(expected, "panic at ", 9);
    memset(expected + 9, 'd', 118);
    strcpy(expected + 127, "text\n");
    expected_log = expected;
    tern_panic_at(path, 7, "text");
}

Test(log, status_names)
{
    cr_assert(eq(int, strcmp(tern_status_name(STATUS_OK), "OK"), 0));
    cr_assert(eq(int, strcmp(tern_status_name(STATUS_UNAUTHENTICATED), "UNAUTHENTICATED"), 0));
    cr_assert(eq(int, strcmp(tern_status_name((enum status)17), "no status"), 0));
    cr_assert(eq(int, strcmp(tern_status_name((enum status)UINT32_MAX), "no status"), 0));
}
