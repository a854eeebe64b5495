/* SPDX-License-Identifier: MIT
 * debug_measure: the kernel's own benches, and in a debug kernel its own tests, on behalf of a process. */
#include "perf/bench/kernel/measure.h"
#include "sys/syscall/define.h"

IMPLEMENT_SYSCALL(debug_measure)
{
    if (p->cpu != 0) /* their storage is there once, and CPU 0 asks the others */
        return result_of(STATUS_FAILED_PRECONDITION);
    size_t count = a[3] / sizeof(uint64_t);
    if (count == 0 || a[2] % sizeof(uint64_t) != 0)
        return result_of(STATUS_INVALID_ARGUMENT);
    count = count < MEASURE_SAMPLES_MAX ? count : MEASURE_SAMPLES_MAX;
    enum status s = measure_run((const char *)a[0], a[1], (uint64_t *)a[2], count);
    return s == STATUS_OK ? result_ok(count) : result_of(s);
}
