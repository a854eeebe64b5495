/* SPDX-License-Identifier: MIT
 * Every way in which an address can be wrong, with both ways of looking: where the last buffer was, and everywhere. A
 * good one gives the byte that it names, also where it is the first or last of its region. */
#include "sys/user_buffer.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <string.h>
#include "tests/unit/sys/toy_process.h"

#define NON_CANONICAL (UINT64_C(1) << 63)
#define KERNEL UINT64_C(0xffffffff80200000)
#define DIRECT_MAP UINT64_C(0xffff800000000000)

enum { READ = 1, WRITE = 2 }; /* what a row's range is good for */

static const struct range {
    const char *what;
    uint64_t address, n;
    uint32_t good;      /* READ, WRITE */
    enum status status; /* otherwise */
} ranges[] = {
    {"data", TOY_DATA_AT + 8, 64, READ | WRITE, STATUS_OK},
    {"unaligned", TOY_DATA_AT + 1, 3, READ | WRITE, STATUS_OK},
    {"across a page", TOY_DATA_AT + TOY_PAGE - 1, 2, READ | WRITE, STATUS_OK},
    {"the first byte", TOY_DATA_AT, 1, READ | WRITE, STATUS_OK},
    {"the last byte", TOY_DATA_END - 1, 1, READ | WRITE, STATUS_OK},
    {"a whole region", TOY_DATA_AT, 2 * TOY_PAGE, READ | WRITE, STATUS_OK},
    {"the stack", TOY_STACK_END - 16, 16, READ | WRITE, STATUS_OK},
    {"constants", TOY_CONSTANTS_AT, TOY_PAGE, READ, STATUS_PERMISSION_DENIED},
    {"code", TOY_TEXT_AT + 5, 7, READ, STATUS_PERMISSION_DENIED},
    {"null", 0, 1, 0, STATUS_INVALID_ARGUMENT},
    {"null, as long as can be", 0, UINT64_MAX, 0, STATUS_INVALID_ARGUMENT},
    {"behind null", 1, 1, 0, STATUS_PERMISSION_DENIED},
    {"unmapped", 0x10000, 8, 0, STATUS_PERMISSION_DENIED},
    {"just below the first region", TOY_TEXT_AT - 1, 1, 0, STATUS_PERMISSION_DENIED},
    {"into the first region", TOY_TEXT_AT - 1, 2, 0, STATUS_PERMISSION_DENIED},
    {"just above a region", TOY_DATA_END, 1, 0, STATUS_PERMISSION_DENIED},
    {"across a region's end", TOY_DATA_END - 1, 2, 0, STATUS_PERMISSION_DENIED},
    {"one byte longer than a region", TOY_DATA_AT, 2 * TOY_PAGE + 1, 0, STATUS_PERMISSION_DENIED},
    {"from one region into the next", TOY_CONSTANTS_AT + TOY_PAGE - 1, 2, 0, STATUS_PERMISSION_DENIED},
    {"across the stack's end", TOY_STACK_END - 8, 9, 0, STATUS_PERMISSION_DENIED},
    {"below the stack", TOY_STACK_AT - 1, 8, 0, STATUS_PERMISSION_DENIED},
    {"all but a byte of the address space", TOY_DATA_AT, UINT64_MAX, 0, STATUS_PERMISSION_DENIED},
    {"past 2^64 and back to its start", TOY_DATA_AT + 8, UINT64_MAX - 7, 0, STATUS_PERMISSION_DENIED},
    {"past 2^64 and into the region", TOY_DATA_AT + 8, UINT64_MAX - 3, 0, STATUS_PERMISSION_DENIED},
    {"the last byte there is", UINT64_MAX, 1, 0, STATUS_PERMISSION_DENIED},
    {"past 2^64 by a byte", UINT64_MAX, 2, 0, STATUS_PERMISSION_DENIED},
    {"past 2^64 and up to a region", UINT64_MAX, TOY_DATA_AT + 2, 0, STATUS_PERMISSION_DENIED},
    {"non-canonical", NON_CANONICAL, 8, 0, STATUS_PERMISSION_DENIED},
    {"non-canonical, data otherwise", NON_CANONICAL | TOY_DATA_AT, 8, 0, STATUS_PERMISSION_DENIED},
    {"2^32 and data", (UINT64_C(1) << 32) | TOY_DATA_AT, 8, 0, STATUS_PERMISSION_DENIED},
    {"the kernel", KERNEL, 8, 0, STATUS_PERMISSION_DENIED},
    {"the direct map", DIRECT_MAP, 8, 0, STATUS_PERMISSION_DENIED},
    {"the end of the user half", UINT64_C(0x7ffffffff000), 4096, 0, STATUS_PERMISSION_DENIED},
};

#define RANGES (sizeof(ranges) / sizeof(ranges[0]))

/* Where the byte at a user address is for the test. */
static char *toy_at(uint64_t address)
{
    for (uint32_t i = 0; i < TOY_REGIONS; i++)
        if (address - (toy_regions[i].end - toy_regions[i].bytes) < toy_regions[i].bytes)
            return (char *)(address + toy_regions[i].to_kernel);
    return NULL;
}

static void check_range(const struct range *r, enum user_access access, const char *hot)
{
    uint64_t address = r->address;
    bool good = r->good & (access == USER_OUT ? WRITE : READ);
    enum status expected = good ? STATUS_OK : r->status;
    enum status s = user_range(&toy, &address, r->n, access);
    cr_assert(eq(int, s, expected), "%s, access %d, last buffer in %s", r->what, access, hot);
    cr_assert(eq(ptr, (void *)address, good ? (void *)toy_at(r->address) : (void *)r->address), "%s", r->what);
}

Test(user_buffer, every_range_wherever_the_last_buffer_was, .init = toy_create)
{
    static const char *const names[] = {"text", "constants", "data", "stack"};
    for (size_t i = 0; i < RANGES; i++) {
        for (uint32_t hot = 0; hot < TOY_REGIONS; hot++) {
            toy.hot[USER_IN] = toy_regions[hot];
            check_range(&ranges[i], USER_IN, names[hot]);
            if (!(toy_regions[hot].flags & IMAGE_REGION_WRITE))
                continue; /* no output buffer was ever there */
            toy.hot[USER_OUT] = toy_regions[hot];
            check_range(&ranges[i], USER_OUT, names[hot]);
        }
    }
}

Test(user_buffer, each_access_remembers_its_own_last_region, .init = toy_create)
{
    uint64_t in = TOY_CONSTANTS_AT, out = TOY_DATA_AT;
    cr_assert(eq(int, user_range(&toy, &in, 1, USER_IN), STATUS_OK));
    cr_assert(eq(int, user_range(&toy, &out, 1, USER_OUT), STATUS_OK));
    cr_assert(eq(u64, toy.hot[USER_IN].end, TOY_CONSTANTS_AT + TOY_PAGE));
    cr_assert(eq(u64, toy.hot[USER_OUT].end, TOY_DATA_END));
    in = 0x10000;
    cr_assert(eq(int, user_range(&toy, &in, 1, USER_IN), STATUS_PERMISSION_DENIED));
    cr_assert(eq(u64, toy.hot[USER_IN].end, TOY_CONSTANTS_AT + TOY_PAGE), "a bad address is forgotten");
}

Test(user_buffer, nothing_at_any_address, .init = toy_create)
{
    for (size_t i = 0; i < RANGES; i++) {
        uint64_t address = ranges[i].address;
        cr_assert(eq(int, user_range(&toy, &address, 0, USER_OUT), STATUS_OK), "%s", ranges[i].what);
        cr_assert(eq(u64, address, ranges[i].address));
    }
}

static enum status string_at(uint64_t address, uint64_t most)
{
    return user_string(&toy, &address, most);
}

Test(user_buffer, a_string_is_found_and_is_the_kernels_address, .init = toy_create)
{
    uint64_t address = TOY_DATA_AT + 3;
    memcpy(toy_data + 3, "name", 5);
    cr_assert(eq(int, user_string(&toy, &address, 32), STATUS_OK));
    cr_assert(eq(ptr, (void *)address, toy_data + 3));
}

Test(user_buffer, the_nul_counts_to_the_most, .init = toy_create)
{
    memset(toy_data, 'x', sizeof(toy_data));
    memcpy(toy_data, "name", 5);
    cr_assert(eq(int, string_at(TOY_DATA_AT, 5), STATUS_OK));
    cr_assert(eq(int, string_at(TOY_DATA_AT, 4), STATUS_OUT_OF_RANGE));
    cr_assert(eq(int, string_at(TOY_DATA_AT + 4, 1), STATUS_OK), "an empty string");
    cr_assert(eq(int, string_at(TOY_DATA_AT + 4, 0), STATUS_OUT_OF_RANGE), "no room even for the NUL");
    cr_assert(eq(int, string_at(TOY_DATA_AT + 5, 32), STATUS_OUT_OF_RANGE), "none within the most");
}

Test(user_buffer, a_string_may_end_with_its_region_and_not_past_it, .init = toy_create)
{
    memset(toy_data, 'x', sizeof(toy_data));
    cr_assert(eq(int, string_at(TOY_DATA_END - 8, 64), STATUS_OUT_OF_RANGE), "no NUL before the region's end");
    cr_assert(eq(int, string_at(TOY_DATA_END - 8, UINT64_MAX), STATUS_OUT_OF_RANGE));
    cr_assert(eq(int, string_at(TOY_DATA_AT, UINT64_MAX), STATUS_OUT_OF_RANGE), "a region without NUL");
    toy_data[sizeof(toy_data) - 1] = '\0';
    cr_assert(eq(int, string_at(TOY_DATA_END - 8, 8), STATUS_OK));
    cr_assert(eq(int, string_at(TOY_DATA_END - 8, 7), STATUS_OUT_OF_RANGE));
    cr_assert(eq(int, string_at(TOY_DATA_END - 1, 64), STATUS_OK));
    cr_assert(eq(int, string_at(TOY_DATA_AT, UINT64_MAX), STATUS_OK));
}

Test(user_buffer, a_string_where_nothing_may_be_read, .init = toy_create)
{
    for (size_t i = 0; i < RANGES; i++) {
        if (ranges[i].n != 1 || ranges[i].good)
            continue;
        cr_assert(eq(int, string_at(ranges[i].address, 32), ranges[i].status), "%s", ranges[i].what);
    }
    memset(toy_constants, 0, sizeof(toy_constants));
    cr_assert(eq(int, string_at(TOY_CONSTANTS_AT, 32), STATUS_OK), "a constant");
}
