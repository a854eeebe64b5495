/* SPDX-License-Identifier: MIT
 * The list of measures. */
#include "perf/bench/kernel/measure.h"

#include "sys/lib/string.h"

static void nothing(void *argument)
{
    (void)argument;
}

static enum status measure_empty(uint64_t *ticks, size_t count)
{
    measure_loop(ticks, count, nothing, NULL);
    return STATUS_OK;
}

static const struct measure measures[] = {
    {"empty", measure_empty},
    {"kchannel.send_recv", measure_channel},
    {"kchannel.cross_cpu", measure_channel_cross},
    {"ipi.round_trip", measure_ipi},
    {"oneshot.round_trip", measure_oneshot},
    {"bus.publish.0", measure_bus_0},
    {"bus.publish.1", measure_bus_1},
    {"bus.publish.8", measure_bus_8},
    {"bus.publish.64", measure_bus_64},
    {"bus.deliver.cross_cpu", measure_bus_cross},
    {"router.send.same_cpu", measure_router},
    {"router.send.cross_cpu", measure_router_cross},
};

/* "test.", a decimal number. */
static bool is_test(const char *name, size_t n, uint64_t *number)
{
    *number = 0;
    if (n < 6 || n > 8 || memcmp(name, "test.", 5) != 0)
        return false;
    for (size_t i = 5; i < n; i++)
        *number = *number * 10 + (uint64_t)(unsigned char)(name[i] - '0');
    return true;
}

enum status measure_run(const char *name, size_t n, uint64_t *ticks, size_t count)
{
    uint64_t number;
    if (is_test(name, n, &number))
        return measure_test(number);
    for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++)
        if (bytes_are(name, n, measures[i].name))
            return measures[i].run(ticks, count < MEASURE_SAMPLES_MAX ? count : MEASURE_SAMPLES_MAX);
    return STATUS_NOT_FOUND;
}
