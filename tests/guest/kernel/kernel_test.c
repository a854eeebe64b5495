/* SPDX-License-Identifier: MIT
 * The list of tests, and the call that runs one. */
#include "perf/bench/kernel/measure.h"
#include "sys/lib/log.h"
#include "tests/guest/kernel/kernel_test.h"

static const struct {
    const char *name;
    const char *(*run)(void);
} tests[] = {
    {"examples", test_examples},
    {"channel", test_channel},
    {"channel between CPUs", test_channel_between_cpus},
    {"oneshot", test_oneshot},
    {"bus", test_bus},
    {"bus between CPUs", test_bus_between_cpus},
    {"router", test_router},
    {"router between CPUs", test_router_between_cpus},
    {"soak", test_soak},
};

enum status measure_test(uint64_t number)
{
    if (number >= sizeof(tests) / sizeof(tests[0]))
        return STATUS_NOT_FOUND;
    const char *broken = tests[number].run();
    if (!broken)
        return STATUS_OK;
    log_error("kernel test '%s' on %u CPUs: %s", tests[number].name, cpus(), broken);
    return STATUS_INTERNAL;
}
