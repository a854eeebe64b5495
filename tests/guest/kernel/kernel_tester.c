/* SPDX-License-Identifier: MIT
 * Asks the debug kernel for its own tests (tests/guest/kernel/kernel_test.c), one after the other. `test=N`: only that
 * one, `iterations=` times. */
#include "sys/lib/printf.h"
#include "user/rt/tern.h"

/* False: there is no such test. */
static bool run(uint64_t number)
{
    char name[16];
    uint64_t ticks;
    int n = ksnprintf(name, sizeof name, "test.%lu", number);
    struct result r = debug_measure(name, (size_t)n, &ticks, sizeof ticks);
    if (r.status != STATUS_OK && r.status != STATUS_NOT_FOUND)
        tern_failure(r.status, "kernel test %lu: %s", number, tern_status_name(r.status));
    return r.status == STATUS_OK;
}

int main(void)
{
    uint64_t only = tern_argument_u64("test", UINT64_MAX), tests = 0;
    for (uint64_t i = 0; only != UINT64_MAX && i < tern_argument_u64("iterations", 1); i++, tests++)
        if (!run(only))
            tern_failure(STATUS_NOT_FOUND, "there is no test %lu; is this a debug build?", only);
    while (only == UINT64_MAX && run(tests))
        tests++;
    if (!tests)
        tern_failure(STATUS_NOT_FOUND, "this kernel has no tests: it is no debug build");
    tern_log("kernel tests run: %lu", tests);
    tern_success();
}
