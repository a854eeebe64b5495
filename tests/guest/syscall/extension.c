/* SPDX-License-Identifier: MIT
 * The story: one process gives numbers to the kernel's example calls, makes them through the vDSO's slots and takes the
 * numbers back. Each number below 512 without a row works and no other; sums with the top bit set are no errors; a name
 * is found while any number has it; `sum` reads only what the process may read; and the kernel has counted each call.
 */
#include "sys/abi/examples.h"
#include "tests/guest/check.h"

#define NUMBERS 512
#define TOP (UINT64_C(1) << 63)

static const char *const names[] = {
#define DEFINE_SYSCALL(number, name, ...) #name,
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL
};
#define TAKEN_FROM_BOOT (sizeof names / sizeof names[0])

static uint64_t made[NUMBERS]; /* calls of each number */

static struct result call(uint64_t number, uint64_t a, uint64_t b)
{
    made[number]++;
    return extension_call(number, a, b, 0, 0, 0, 0);
}

static struct result give(uint64_t number, const char *name)
{
    return syscall_register(number, name, strlen(name));
}

static struct result look_up(const char *name)
{
    return syscall_lookup(name, strlen(name));
}

static void try_numbers(void)
{
    check_refused("a call of nothing", call(42, 1, 2), STATUS_UNIMPLEMENTED);
    check_refused("nothing taken back", syscall_unregister(42), STATUS_NOT_FOUND);
    check_ok("42", give(42, "add"), 0);
    check_ok("511", give(511, "add"), 0);
    check_ok("sum at 42", call(42, 40, 2), 42);
    check_ok("sum at 511", call(511, 1, UINT64_MAX), 0);
    check_ok("sum with the top bit", call(42, TOP, 5), TOP + 5);
    check_ok("the largest sum", call(511, UINT64_MAX - 1, 1), UINT64_MAX);
    check_ok("a sum like a negative status", call(42, 0, -UINT64_C(38)), -UINT64_C(38));
    check_refused("42 again", give(42, "add"), STATUS_ALREADY_EXISTS);
    check_refused("42 for another", give(42, "sum"), STATUS_ALREADY_EXISTS);
    check_refused("no such call", give(43, "ad"), STATUS_NOT_FOUND);
    check_refused("no name", give(43, ""), STATUS_NOT_FOUND);
    check_refused("a name and a NUL", syscall_register(43, "add", 4), STATUS_NOT_FOUND);
    check_refused("a name of 33 bytes", syscall_register(43, "add", 33), STATUS_OUT_OF_RANGE);
    check_ok("42 taken back", syscall_unregister(42), 0);
    check_refused("42 taken back twice", syscall_unregister(42), STATUS_NOT_FOUND);
    check_refused("42 after that", call(42, 1, 2), STATUS_UNIMPLEMENTED);
    check_ok("511 is still there", call(511, 1, 2), 3);
    check_ok("511 taken back", syscall_unregister(511), 0);
}

static void try_wrong_numbers(void)
{
    static const uint64_t wrong[] = {512, 513,      1023,      UINT32_MAX, UINT64_C(1) << 32, (UINT64_C(1) << 32) + 42,
                                     TOP, TOP + 42, UINT64_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        check_refused("register", give(wrong[i], "add"), STATUS_OUT_OF_RANGE);
        check_refused("unregister", syscall_unregister(wrong[i]), STATUS_OUT_OF_RANGE);
        check_refused("call", extension_call(wrong[i], 1, 2, 0, 0, 0, 0), STATUS_OUT_OF_RANGE);
        check_refused("statistics", syscall_stats(wrong[i], NULL, 0), STATUS_OUT_OF_RANGE);
    }
    for (uint64_t number = 0; number < TAKEN_FROM_BOOT; number++) {
        check_refused("register a number from boot", give(number, "add"), STATUS_ALREADY_EXISTS);
        check_refused("unregister a number from boot", syscall_unregister(number), STATUS_PERMISSION_DENIED);
    }
}

/* Each has an instruction of its own. */
static void try_all_numbers(void)
{
    for (uint64_t number = TAKEN_FROM_BOOT; number < NUMBERS; number++) {
        check_refused("before", call(number, number, 1), STATUS_UNIMPLEMENTED);
        check_ok("register", give(number, "add"), 0);
    }
    for (uint64_t number = TAKEN_FROM_BOOT; number < NUMBERS; number++)
        check_ok("call", call(number, number, 1), number + 1);
    for (uint64_t number = TAKEN_FROM_BOOT; number < NUMBERS; number++)
        check_ok("unregister", syscall_unregister(number), 0);
}

static void try_names(void)
{
    for (uint64_t number = 0; number < TAKEN_FROM_BOOT; number++)
        check_ok(names[number], look_up(names[number]), number);
    check_refused("no number has it", look_up("add"), STATUS_NOT_FOUND);
    check_ok("300", give(300, "add"), 0);
    check_ok("100", give(100, "add"), 0);
    check_ok("the lower", look_up("add"), 100);
    check_ok("100 goes", syscall_unregister(100), 0);
    check_ok("the higher is left", look_up("add"), 300);
    check_ok("100 again", give(100, "add"), 0);
    check_ok("300 goes", syscall_unregister(300), 0);
    check_ok("the lower is left", look_up("add"), 100);
    check_refused("half a name", look_up("ad"), STATUS_NOT_FOUND);
    check_refused("a name and a NUL", syscall_lookup("add", 4), STATUS_NOT_FOUND);
    check_refused("no name", look_up(""), STATUS_NOT_FOUND);
    check_ok("100 goes", syscall_unregister(100), 0);
    check_refused("none is left", look_up("add"), STATUS_NOT_FOUND);
}

static struct result sum(const void *values, uint64_t count)
{
    struct sum_request request = {(uint64_t)values, count};
    return call(42, (uint64_t)&request, sizeof request);
}

static void try_sum(void)
{
    static const uint64_t constants[] = {1, TOP, 5, UINT64_MAX};
    static uint64_t values[SUM_VALUES_MAX + 1];
    uint64_t expected = 0;
    for (uint64_t i = 0; i < SUM_VALUES_MAX; i++)
        expected += values[i] = i << 40 | i;
    check_ok("register sum", give(42, "sum"), 0);
    check_ok("of constants", sum(constants, 4), TOP + 5);
    check_ok("of many", sum(values, SUM_VALUES_MAX), expected);
    memmove((char *)values + 3, values, SUM_VALUES_MAX * sizeof values[0]);
    check_ok("of unaligned ones", sum((char *)values + 3, SUM_VALUES_MAX), expected);
    check_ok("of none", sum(NULL, 0), 0);
    check_refused("of too many", sum(values, SUM_VALUES_MAX + 1), STATUS_OUT_OF_RANGE);
    check_refused("of 2^64 bytes", sum(values, UINT64_C(1) << 61), STATUS_OUT_OF_RANGE);
    check_refused("at null", sum(NULL, 1), STATUS_INVALID_ARGUMENT);
    check_refused("in the kernel", sum((void *)0xffffffff80200000, 1), STATUS_PERMISSION_DENIED);
    check_refused("in the direct map", sum((void *)0xffff800000000000, 1), STATUS_PERMISSION_DENIED);
    check_refused("non-canonical", sum((void *)TOP, 1), STATUS_PERMISSION_DENIED);
    check_refused("past 2^64", sum((void *)(UINT64_MAX - 7), 2), STATUS_PERMISSION_DENIED);
    check_refused("in the vDSO", sum((void *)USER_VDSO_BASE, 1), STATUS_PERMISSION_DENIED);
    check_refused("half a request", call(42, (uint64_t)constants, 8), STATUS_OUT_OF_RANGE);
    check_refused("a long request", call(42, (uint64_t)constants, 17), STATUS_OUT_OF_RANGE);
    check_refused("no request", call(42, (uint64_t)constants, 0), STATUS_OUT_OF_RANGE);
    check_refused("a request at null", call(42, 0, 16), STATUS_INVALID_ARGUMENT);
    check_refused("a request in the kernel", call(42, 0xffffffff80200000, 16), STATUS_PERMISSION_DENIED);
    check_ok("unregister sum", syscall_unregister(42), 0);
}

/* Also those that were refused or found nothing. */
static void try_counts(void)
{
    struct syscall_stats before, after;
    for (uint64_t number = TAKEN_FROM_BOOT; number < NUMBERS; number++) {
        struct syscall_stats stats = {0};
        check_ok("statistics", syscall_stats(number, &stats, sizeof stats), sizeof stats);
        check_u64("calls", stats.calls, made[number]);
        check_u64("latencies without the hook", stats.samples, 0);
    }
    check_ok("statistics", syscall_stats(0, &before, sizeof before), sizeof before);
    for (uint64_t i = 0; i < 1000; i++)
        debug_nop();
    memset(&after, 0xa5, sizeof after);
    check_ok("the first word of the statistics", syscall_stats(0, &after, 8), 8);
    check_u64("calls that do nothing", after.calls - before.calls, 1000);
    check_u64("the word behind it", after.samples, 0xa5a5a5a5a5a5a5a5);
    check_ok("nothing of the statistics", syscall_stats(0, NULL, 0), 0);
    struct syscall_stats many[2];
    check_ok("more than there is", syscall_stats(0, many, sizeof many), sizeof many[0]);
}

int main(void)
{
    try_numbers();
    try_wrong_numbers();
    try_all_numbers();
    try_names();
    try_sum();
    try_counts();
    tern_success();
}
