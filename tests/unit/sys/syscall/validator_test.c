/* SPDX-License-Identifier: MIT
 * Each check of a validator by itself, and what makes it one: the first error in the order of the calls stays, and
 * nothing is looked at after it. */
#include "sys/syscall/validator.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <string.h>
#include "tests/unit/sys/toy_process.h"

#define UNMAPPED 0x10000

static struct validator v;

static void setup(void)
{
    toy_create();
    v = validator_begin(&toy);
}

/* Of the checks since the last look, which starts anew. */
static enum status outcome(void)
{
    enum status s = validator_check(&v);
    v = validator_begin(&toy);
    return s;
}

Test(validator, nothing_asked_is_ok, .init = setup)
{
    cr_assert(eq(int, outcome(), STATUS_OK));
}

Test(validator, pointers, .init = setup)
{
    cr_assert(eq(ptr, validator_ptr(&v, TOY_DATA_AT + 3, 8, false), toy_data + 3));
    cr_assert(eq(ptr, validator_ptr(&v, TOY_STACK_AT, 8, true), toy_stack));
    cr_assert(eq(ptr, validator_ptr(&v, TOY_CONSTANTS_AT, TOY_PAGE, false), toy_constants));
    cr_assert(eq(int, outcome(), STATUS_OK));
    cr_assert(eq(ptr, validator_ptr(&v, TOY_CONSTANTS_AT, 1, true), NULL));
    cr_assert(eq(int, outcome(), STATUS_PERMISSION_DENIED));
    cr_assert(eq(ptr, validator_ptr(&v, 0, 1, false), NULL));
    cr_assert(eq(int, outcome(), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(ptr, validator_ptr(&v, TOY_DATA_END - 8, 9, false), NULL));
    cr_assert(eq(int, outcome(), STATUS_PERMISSION_DENIED));
    cr_assert(eq(ptr, validator_ptr(&v, TOY_DATA_AT, UINT64_MAX, false), NULL));
    cr_assert(eq(int, outcome(), STATUS_PERMISSION_DENIED));
    (void)validator_ptr(&v, 0, 0, true);
    (void)validator_ptr(&v, UNMAPPED, 0, false);
    cr_assert(eq(int, outcome(), STATUS_OK));
}

static uintptr_t string_at(uint64_t address, uint64_t most)
{
    return (uintptr_t)validator_string(&v, address, most);
}

Test(validator, strings, .init = setup)
{
    memcpy(toy_data, "name", 5);
    cr_assert(eq(u64, string_at(TOY_DATA_AT, 5), (uintptr_t)toy_data));
    cr_assert(eq(int, outcome(), STATUS_OK));
    cr_assert(zero(u64, string_at(TOY_DATA_AT, 4)));
    cr_assert(eq(int, outcome(), STATUS_OUT_OF_RANGE));
    cr_assert(zero(u64, string_at(UNMAPPED, 4)));
    cr_assert(eq(int, outcome(), STATUS_PERMISSION_DENIED));
}

Test(validator, handles, .init = setup)
{
    cr_assert(eq(ptr, validator_handle(&v, TOY_HISTOGRAM, ARGUMENT_ANY_TYPE), &toy_object[TOY_HISTOGRAM]));
    cr_assert(eq(ptr, validator_handle(&v, TOY_HANDLER, IMAGE_OBJECT_CHANNEL_HANDLER), &toy_object[TOY_HANDLER]));
    cr_assert(eq(int, outcome(), STATUS_OK));
    cr_assert(eq(ptr, validator_handle(&v, TOY_HANDLER, IMAGE_OBJECT_HISTOGRAM), NULL));
    cr_assert(eq(int, outcome(), STATUS_UNIMPLEMENTED));
    cr_assert(eq(ptr, validator_handle(&v, TOY_OBJECTS, ARGUMENT_ANY_TYPE), NULL));
    cr_assert(eq(int, outcome(), STATUS_OUT_OF_RANGE));
    cr_assert(eq(ptr, validator_handle(&v, UINT64_C(1) << 32, IMAGE_OBJECT_CHANNEL_HANDLER), NULL));
    cr_assert(eq(int, outcome(), STATUS_OUT_OF_RANGE));
}

Test(validator, plain_values, .init = setup)
{
    validator_fd(&v, 0, 1);
    validator_fd(&v, UINT64_MAX - 1, UINT64_MAX);
    validator_flags(&v, 0, 0);
    validator_flags(&v, UINT64_MAX, UINT64_MAX);
    validator_range(&v, 7, 7, 7);
    validator_range(&v, UINT64_MAX, 0, UINT64_MAX);
    validator_deadline(&v, 0);
    validator_deadline(&v, UINT64_MAX);
    cr_assert(eq(int, outcome(), STATUS_OK));
    validator_fd(&v, 16, 16);
    cr_assert(eq(int, outcome(), STATUS_OUT_OF_RANGE));
    validator_fd(&v, 0, 0);
    cr_assert(eq(int, outcome(), STATUS_OUT_OF_RANGE));
    validator_flags(&v, UINT64_C(1) << 40, UINT32_MAX);
    cr_assert(eq(int, outcome(), STATUS_INVALID_ARGUMENT));
    validator_range(&v, 6, 7, 9);
    cr_assert(eq(int, outcome(), STATUS_OUT_OF_RANGE));
    validator_range(&v, UINT64_C(1) << 32 | 8, 7, 9);
    cr_assert(eq(int, outcome(), STATUS_OUT_OF_RANGE));
}

Test(validator, the_first_error_stays, .init = setup)
{
    validator_range(&v, 1, 0, 1);
    validator_flags(&v, 2, 1);
    validator_range(&v, 2, 0, 1);
    cr_assert(eq(ptr, validator_ptr(&v, UNMAPPED, 1, false), NULL));
    cr_assert(eq(int, outcome(), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(ptr, validator_ptr(&v, UNMAPPED, 1, false), NULL));
    validator_fd(&v, 9, 1);
    validator_flags(&v, 2, 1);
    cr_assert(eq(int, outcome(), STATUS_PERMISSION_DENIED));
    validator_fd(&v, 9, 1);
    cr_assert(eq(ptr, validator_ptr(&v, 0, 1, false), NULL));
    cr_assert(eq(int, outcome(), STATUS_OUT_OF_RANGE));
}

Test(validator, after_an_error_nothing_is_looked_at, .init = setup)
{
    validator_flags(&v, 2, 1);
    memcpy(toy_data, "name", 5);
    cr_assert(eq(ptr, validator_ptr(&v, TOY_DATA_AT, 8, true), NULL), "good, but late");
    cr_assert(zero(u64, string_at(TOY_DATA_AT, 8)));
    cr_assert(eq(ptr, validator_handle(&v, TOY_HANDLER, ARGUMENT_ANY_TYPE), NULL));
    validator_range(&v, 1, 0, 1);
    cr_assert(eq(u64, toy.hot[USER_OUT].end, TOY_STACK_END), "the process's last buffer is still the one before");
    cr_assert(eq(int, outcome(), STATUS_INVALID_ARGUMENT));
}
