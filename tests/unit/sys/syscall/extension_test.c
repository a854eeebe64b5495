/* SPDX-License-Identifier: MIT
 * The table of calls that come and go: which numbers, which names, what a call of each gives; descriptions that make no
 * sense; and the two examples as a process meets them, by extension_call. */
#include "sys/syscall/extension.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <string.h>
#include "sys/abi/examples.h"
#include "sys/syscall/examples.h"
#include "tests/unit/sys/toy_process.h"

struct percpu_head percpu_head;

#define LAST (SYSCALL_MAX - 1)

static void setup(void)
{
    toy_create();
    percpu_head.current = &toy_thread;
}

static const struct syscall_descriptor *example(const char *name)
{
    const struct syscall_descriptor *d = example_find(name, strlen(name));
    cr_assert(d != NULL, "%s", name);
    return d;
}

static struct result call(uint64_t number, uint64_t a, uint64_t b)
{
    return extension_call(a, b, 0, 0, 0, 0, number);
}

static void check_sum(uint64_t number, uint64_t a, uint64_t b)
{
    struct result r = call(number, a, b);
    cr_assert(eq(u64, r.status, STATUS_OK), "%lu: %lx + %lx", number, a, b);
    cr_assert(eq(u64, r.value, a + b));
}

Test(extension, every_number_without_a_row_and_no_other, .init = setup)
{
    for (uint32_t n = 0; n < SYSCALL_BUILT_IN; n++) {
        cr_assert(eq(int, syscall_register(n, example("add")), STATUS_ALREADY_EXISTS), "%u", n);
        cr_assert(eq(int, syscall_unregister(n), STATUS_PERMISSION_DENIED), "%u", n);
        cr_assert(eq(u64, call(n, 1, 2).status, STATUS_UNIMPLEMENTED), "%u", n);
    }
    for (uint32_t n = SYSCALL_BUILT_IN; n < SYSCALL_MAX; n++)
        cr_assert(eq(int, syscall_register(n, example("add")), STATUS_OK), "%u", n);
    check_sum(SYSCALL_BUILT_IN, 1, 2);
    check_sum(LAST, UINT64_C(1) << 63, 5); /* a value with the top bit set is a value */
    check_sum(LAST, UINT64_MAX, 0);
    cr_assert(eq(int, syscall_register(SYSCALL_MAX, example("add")), STATUS_OUT_OF_RANGE));
    cr_assert(eq(int, syscall_register(UINT32_MAX, example("add")), STATUS_OUT_OF_RANGE));
    cr_assert(eq(int, syscall_unregister(SYSCALL_MAX), STATUS_OUT_OF_RANGE));
    cr_assert(eq(u64, call(SYSCALL_MAX, 1, 2).status, STATUS_UNIMPLEMENTED));
    cr_assert(eq(u64, call(UINT64_MAX, 1, 2).status, STATUS_UNIMPLEMENTED));
    cr_assert(eq(u64, call(UINT64_C(1) << 32 | LAST, 1, 2).status, STATUS_UNIMPLEMENTED));
}

Test(extension, a_number_is_taken_until_it_is_given_back, .init = setup)
{
    cr_assert(eq(u64, call(42, 1, 2).status, STATUS_UNIMPLEMENTED));
    cr_assert(eq(int, syscall_unregister(42), STATUS_NOT_FOUND));
    cr_assert(eq(int, syscall_register(42, example("add")), STATUS_OK));
    check_sum(42, 40, 2);
    cr_assert(eq(int, syscall_register(42, example("add")), STATUS_ALREADY_EXISTS));
    cr_assert(eq(int, syscall_register(42, example("sum")), STATUS_ALREADY_EXISTS));
    check_sum(42, 40, 2);
    cr_assert(eq(int, syscall_unregister(42), STATUS_OK));
    cr_assert(eq(int, syscall_unregister(42), STATUS_NOT_FOUND));
    cr_assert(eq(u64, call(42, 1, 2).status, STATUS_UNIMPLEMENTED));
    cr_assert(eq(int, syscall_register(42, example("sum")), STATUS_OK), "for another call");
    cr_assert(eq(u64, call(42, 1, 2).status, STATUS_PERMISSION_DENIED), "with a row of kinds of its own");
}

static uint32_t number_of(const char *name)
{
    uint32_t number = UINT32_MAX;
    return syscall_lookup(name, strlen(name), &number) == STATUS_OK ? number : UINT32_MAX;
}

Test(extension, a_name_is_found_while_any_number_has_it, .init = setup)
{
    cr_assert(eq(u32, number_of("add"), UINT32_MAX));
    cr_assert(eq(int, syscall_register(LAST, example("add")), STATUS_OK));
    cr_assert(eq(u32, number_of("add"), LAST));
    cr_assert(eq(int, syscall_unregister(LAST), STATUS_OK));
    cr_assert(eq(int, syscall_register(300, example("add")), STATUS_OK));
    cr_assert(eq(u32, number_of("add"), 300));
    cr_assert(eq(int, syscall_register(100, example("add")), STATUS_OK));
    cr_assert(eq(u32, number_of("add"), 100), "the lowest");
    cr_assert(eq(int, syscall_unregister(100), STATUS_OK));
    cr_assert(eq(u32, number_of("add"), 300));
    cr_assert(eq(int, syscall_register(100, example("add")), STATUS_OK));
    cr_assert(eq(int, syscall_unregister(300), STATUS_OK));
    cr_assert(eq(u32, number_of("add"), 100));
    cr_assert(eq(int, syscall_unregister(100), STATUS_OK));
    cr_assert(eq(u32, number_of("add"), UINT32_MAX));
}

Test(extension, names_are_whole, .init = setup)
{
    uint32_t number;
    cr_assert(eq(int, syscall_register(42, example("add")), STATUS_OK));
    cr_assert(eq(u32, number_of("debug_nop"), 0));
    cr_assert(eq(u32, number_of("syscall_hook"), SYSCALL_IS_syscall_hook));
    cr_assert(eq(int, syscall_lookup("", 0, &number), STATUS_NOT_FOUND));
    cr_assert(eq(int, syscall_lookup("ad", 2, &number), STATUS_NOT_FOUND));
    cr_assert(eq(int, syscall_lookup("added", 5, &number), STATUS_NOT_FOUND));
    cr_assert(eq(int, syscall_lookup("added", 3, &number), STATUS_OK));
    cr_assert(eq(int, syscall_lookup("add", 4, &number), STATUS_NOT_FOUND), "a NUL is a byte");
    cr_assert(eq(ptr, (void *)(uintptr_t)example_find("add", 4), NULL));
    cr_assert(eq(ptr, (void *)(uintptr_t)example_find("add", 2), NULL));
    cr_assert(eq(ptr, (void *)(uintptr_t)example_find("", 0), NULL));
    cr_assert(eq(str, (char *)(uintptr_t)syscall_name(42), (char *)(uintptr_t) "add"));
    cr_assert(eq(ptr, (void *)(uintptr_t)syscall_name(43), NULL));
    cr_assert(eq(ptr, (void *)(uintptr_t)syscall_name(SYSCALL_MAX), NULL));
}

static struct result nothing(const struct syscall_args *args)
{
    (void)args;
    return result_ok(0);
}

Test(extension, descriptions_that_make_no_sense, .init = setup)
{
    static const struct syscall_argument no_length[] = {VALUE(a), IN(b, 8)}, other[] = {OUT(b, 8), VALUE(n)},
                                         lonely[] = {IN_OR_NULL(b, 8)}, odd[] = {{.kind = ARGUMENT_DEADLINE + 1}},
                                         seven[SYSCALL_ARGUMENTS + 1] = {{.kind = ARGUMENT_VALUE}};
    const struct syscall_descriptor bad[] = {
        {NULL, 0, NULL, nothing},       {"no handler", 0, NULL, NULL},        {"no kinds", 1, NULL, nothing},
        {"7 args", 7, seven, nothing},  {"no length", 2, no_length, nothing}, {"other", 2, other, nothing},
        {"lonely", 1, lonely, nothing}, {"odd kind", 1, odd, nothing},
    };
    const struct syscall_descriptor good[] = {{"no arguments", 0, NULL, nothing}, {"6 args", 6, seven, nothing}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert(eq(int, syscall_register(42, &bad[i]), STATUS_INVALID_ARGUMENT), "%zu", i);
    cr_assert(eq(int, syscall_register(42, NULL), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, syscall_register(SYSCALL_MAX, &bad[0]), STATUS_OUT_OF_RANGE), "the number first");
    for (uint32_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cr_assert(eq(int, syscall_register(42 + i, &good[i]), STATUS_OK), "%u", i);
}

Test(extension, arguments_that_are_not_there)
{
    static const struct syscall_argument kinds[] = {IN(b, 8), LENGTH(n), OUT(c, 8), LENGTH(m), STRING(s, 8)};
    const struct syscall_args args = {.kinds = kinds, .count = 5, .value = {0x1000, 8, 0x2000, 4, 0x3000, 99}};
    uint64_t value = 7;
    cr_assert(syscall_args_get(&args, 4, &value));
    cr_assert(eq(u64, value, 0x3000));
    cr_assert(not(syscall_args_get(&args, 5, &value)));
    cr_assert(not(syscall_args_get(&args, UINT32_MAX, &value)));
    cr_assert(eq(u64, value, 0x3000), "untouched");
    const uint64_t in[] = {0x1000, 0, 0, 0, 0x3000, 0}, out[] = {0, 0, 0x2000, 0, 0, 0};
    for (uint32_t i = 0; i < 6; i++) {
        cr_assert(eq(u64, (uintptr_t)syscall_args_as_ptr(&args, i), in[i]), "%u", i);
        cr_assert(eq(u64, (uintptr_t)syscall_args_as_mut_ptr(&args, i), out[i]), "%u", i);
    }
}

/* A request at TOY_STACK_AT + 1, of n bytes. */
static struct result sum(uint64_t address, uint64_t count, uint64_t n)
{
    struct sum_request request = {address, count};
    memcpy(toy_stack + 1, &request, sizeof(request));
    return call(42, TOY_STACK_AT + 1, n);
}

Test(extension, sum_of_values_wherever_they_are, .init = setup)
{
    uint64_t values[SUM_VALUES_MAX], expected = 0;
    for (uint64_t i = 0; i < SUM_VALUES_MAX; i++)
        expected += values[i] = i * 0x0123456789abcdef;
    memcpy(toy_data + 5, values, sizeof(values));
    memcpy(toy_constants, values, sizeof(values));
    cr_assert(eq(int, syscall_register(42, example("sum")), STATUS_OK));
    cr_assert(eq(u64, sum(TOY_DATA_AT + 5, SUM_VALUES_MAX, 16).value, expected), "unaligned");
    cr_assert(eq(u64, sum(TOY_CONSTANTS_AT, SUM_VALUES_MAX, 16).value, expected), "constants, a whole region");
    cr_assert(eq(u64, sum(TOY_CONSTANTS_AT + 8, 1, 16).value, values[1]));
    cr_assert(eq(u64, sum(0, 0, 16).status, STATUS_OK), "of nothing");
}

Test(extension, sum_refuses, .init = setup)
{
    cr_assert(eq(int, syscall_register(42, example("sum")), STATUS_OK));
    const struct {
        uint64_t address, count, n;
        enum status status;
    } rows[] = {
        {TOY_DATA_AT, 1, 0, STATUS_OUT_OF_RANGE},
        {TOY_DATA_AT, 1, 15, STATUS_OUT_OF_RANGE},
        {TOY_DATA_AT, 1, 17, STATUS_OUT_OF_RANGE},
        {TOY_DATA_AT, SUM_VALUES_MAX + 1, 16, STATUS_OUT_OF_RANGE},
        {0x10000, SUM_VALUES_MAX + 1, 16, STATUS_OUT_OF_RANGE},    /* the count comes first */
        {TOY_DATA_AT, UINT64_C(1) << 61, 16, STATUS_OUT_OF_RANGE}, /* 2^64 bytes */
        {0, 1, 16, STATUS_INVALID_ARGUMENT},
        {0x10000, 1, 16, STATUS_PERMISSION_DENIED},
        {0xffff800000000000, 1, 16, STATUS_PERMISSION_DENIED},
        {UINT64_MAX - 7, 2, 16, STATUS_PERMISSION_DENIED},
        {TOY_DATA_END - 8, 2, 16, STATUS_PERMISSION_DENIED},
        {TOY_DATA_END - 7, 1, 16, STATUS_PERMISSION_DENIED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_assert(eq(u64, sum(rows[i].address, rows[i].count, rows[i].n).status, rows[i].status), "row %zu", i);
    cr_assert(eq(u64, call(42, 0x10000, 16).status, STATUS_PERMISSION_DENIED), "the request itself");
    cr_assert(eq(u64, call(42, TOY_STACK_END - 15, 16).status, STATUS_PERMISSION_DENIED));
}
