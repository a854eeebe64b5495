/* SPDX-License-Identifier: MIT
 * The runtime's C on the host: arguments, log lines, verdicts. A page mapped at USER_VVAR_BASE plays the kernel's vvar;
 * the calls below play the vDSO and remember what they got. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "user/rt/tern.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

Test(rt, argument_is_found_by_its_whole_key)
{
    arguments_set("rebench=1 bench=a,b  iterations=20 bench");
    cr_assert(eq(str, argument("bench"), "a,b"));
    cr_assert(eq(str, argument("iterations"), "20"));
    cr_assert(argument("iter") == NULL);
    cr_assert(argument("warmup") == NULL);
}

Test(rt, argument_takes_the_last_one_and_may_be_empty)
{
    arguments_set("unit=ns unit=instructions bench=");
    cr_assert(eq(str, argument("unit"), "instructions"));
    cr_assert(eq(str, argument("bench"), ""));
}

Test(rt, argument_that_does_not_fit_is_none)
{
    arguments_set("a=123456789012345 b=1234567890123456");
    cr_assert(eq(str, argument("a"), "123456789012345"));
    cr_assert(argument("b") == NULL);
}

Test(rt, argument_stops_at_the_end_of_the_page_field)
{
    arguments_set("");
    cr_assert(argument("bench") == NULL);
    char long_text[VVAR_ARGUMENTS_BYTES];
    memset(long_text, 'k', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    arguments_set(long_text);
    cr_assert(argument("k") == NULL);
}

Test(rt, number_argument)
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

Test(rt, log_adds_a_newline_and_cuts)
{
    tern_log("%s %u", "one", 2u);
    cr_assert(eq(str, logged, "one 2\n"));
    logged_bytes = 0;
    tern_log("%0300d", 5);
    cr_assert(eq(sz, logged_bytes, 256));
    cr_assert(eq(chr, logged[255], '\n'));
    cr_assert(eq(chr, logged[254], '0'));
}

Test(rt, success_is_a_verdict, .exit_code = STATUS_OK)
{
    expected_log = "VERDICT: SUCCESS\n";
    tern_success();
}

Test(rt, failure_is_a_verdict_with_its_reason, .exit_code = STATUS_DATA_LOSS)
{
    expected_log = "VERDICT: FAILURE 3 bytes lost\n";
    tern_failure(STATUS_DATA_LOSS, "%d bytes lost", 3);
}

Test(rt, failure_never_ends_with_ok, .exit_code = STATUS_UNKNOWN)
{
    expected_log = "VERDICT: FAILURE x\n";
    tern_failure(STATUS_OK, "x");
}

Test(rt, status_names)
{
    cr_assert(eq(int, strcmp(tern_status_name(STATUS_OK), "OK"), 0));
    cr_assert(eq(int, strcmp(tern_status_name(STATUS_UNAUTHENTICATED), "UNAUTHENTICATED"), 0));
    cr_assert(eq(int, strcmp(tern_status_name((enum status)17), "no status"), 0));
    cr_assert(eq(int, strcmp(tern_status_name((enum status)UINT32_MAX), "no status"), 0));
}
