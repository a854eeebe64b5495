/* SPDX-License-Identifier: MIT
 * syscall_*: calls about calls. */
#include "sys/lib/string.h"
#include "sys/syscall/define.h"
#include "sys/syscall/examples.h"
#include "sys/syscall/hooks.h"
#include "sys/syscall/latency.h"

IMPLEMENT_SYSCALL(syscall_register)
{
    const struct syscall_descriptor *d = example_find((const char *)a[1], a[2]);
    if (a[0] >= SYSCALL_MAX)
        return result_of(STATUS_OUT_OF_RANGE);
    return result_of(d ? syscall_register((uint32_t)a[0], d) : STATUS_NOT_FOUND);
}

IMPLEMENT_SYSCALL(syscall_unregister)
{
    return result_of(a[0] < SYSCALL_MAX ? syscall_unregister((uint32_t)a[0]) : STATUS_OUT_OF_RANGE);
}

IMPLEMENT_SYSCALL(syscall_lookup)
{
    uint32_t number = 0;
    enum status s = syscall_lookup((const char *)a[0], a[1], &number);
    return s == STATUS_OK ? result_ok(number) : result_of(s);
}

IMPLEMENT_SYSCALL(syscall_stats)
{
    struct syscall_stats stats = {0};
    if (a[0] >= SYSCALL_MAX)
        return result_of(STATUS_OUT_OF_RANGE);
    stats.calls = syscall_calls((uint32_t)a[0]);
    latency_stats((uint32_t)a[0], &stats);
    uint64_t n = a[2] < sizeof(stats) ? a[2] : sizeof(stats);
    memcpy((char *)a[1], &stats, n);
    return result_ok(n);
}

IMPLEMENT_SYSCALL(syscall_hook)
{
    return result_of(hooks_switch((const char *)a[0], a[1], a[2]));
}
