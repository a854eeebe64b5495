/* SPDX-License-Identifier: MIT
 * Both decoders of arguments. Each kind with what it takes and what it refuses, by the one that gives a status; then
 * both on the rows of sys/abi/syscalls.def and on rows made up, with random registers: whenever the hot one says yes,
 * the other says OK and gives the same objects and addresses. */
#include "sys/syscall/arguments.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/sys/toy_process.h"

#define TRIES 2000000
#define UNMAPPED 0x10000

static const uint64_t B32 = UINT64_C(1) << 32, B63 = UINT64_C(1) << 63;

/* One kind with one value, or two for a buffer and its length. */
struct row {
    const char *what;
    struct syscall_argument kind;
    uint64_t value, length;
    enum status status;
};

static void try_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct syscall_argument d[] = {rows[i].kind, LENGTH(n)};
        uint64_t a[SYSCALL_ARGUMENTS] = {rows[i].value, rows[i].length};
        cr_assert(eq(int, arguments_check(&toy, d, 2, a), rows[i].status), "%s", rows[i].what);
        cr_assert(eq(u64, a[1], rows[i].length), "%s: a length stays", rows[i].what);
    }
}
#define TRY_ROWS(rows) try_rows(rows, sizeof(rows) / sizeof((rows)[0]))

Test(arguments, plain_values, .init = toy_create)
{
    const struct row rows[] = {
        {"value", VALUE(v), UINT64_MAX, 0, STATUS_OK},
        {"length", LENGTH(n), UINT64_MAX, 0, STATUS_OK},
        {"deadline in the past", DEADLINE(ns), 0, 0, STATUS_OK},
        {"deadline never", DEADLINE(ns), UINT64_MAX, 0, STATUS_OK},
        {"no flag", FLAGS(f, 5), 0, 0, STATUS_OK},
        {"all flags", FLAGS(f, 5), 5, 0, STATUS_OK},
        {"a flag that is none", FLAGS(f, 5), 2, 0, STATUS_INVALID_ARGUMENT},
        {"flag 31", FLAGS(f, 5), 1u << 31, 0, STATUS_INVALID_ARGUMENT},
        {"flag 32", FLAGS(f, 5), B32 | 5, 0, STATUS_INVALID_ARGUMENT},
        {"flag 63", FLAGS(f, 5), B63, 0, STATUS_INVALID_ARGUMENT},
        {"32 flags", FLAGS(f, UINT32_MAX), UINT32_MAX, 0, STATUS_OK},
        {"the 33rd of 32 flags", FLAGS(f, UINT32_MAX), B32, 0, STATUS_INVALID_ARGUMENT},
        {"the least", RANGE(r, 3, 127), 3, 0, STATUS_OK},
        {"the most", RANGE(r, 3, 127), 127, 0, STATUS_OK},
        {"below the least", RANGE(r, 3, 127), 2, 0, STATUS_OUT_OF_RANGE},
        {"zero", RANGE(r, 3, 127), 0, 0, STATUS_OUT_OF_RANGE},
        {"above the most", RANGE(r, 3, 127), 128, 0, STATUS_OUT_OF_RANGE},
        {"2^32 and good", RANGE(r, 3, 127), B32 | 3, 0, STATUS_OUT_OF_RANGE},
        {"2^63 and good", RANGE(r, 3, 127), B63 | 3, 0, STATUS_OUT_OF_RANGE},
    };
    TRY_ROWS(rows);
}

Test(arguments, handles, .init = toy_create)
{
    const struct row rows[] = {
        {"any", HANDLE(h, ANY), TOY_HISTOGRAM, 0, STATUS_OK},
        {"the last", HANDLE(h, ANY), TOY_OBJECTS - 1, 0, STATUS_OK},
        {"right type", HANDLE(h, CHANNEL_HANDLER), TOY_HANDLER_2, 0, STATUS_OK},
        {"wrong type", HANDLE(h, CHANNEL_HANDLER), TOY_INITIATOR, 0, STATUS_UNIMPLEMENTED},
        {"one past the last", HANDLE(h, ANY), TOY_OBJECTS, 0, STATUS_OUT_OF_RANGE},
        {"one past the last, typed", HANDLE(h, CHANNEL_HANDLER), TOY_OBJECTS, 0, STATUS_OUT_OF_RANGE},
        {"the end of the table", HANDLE(h, ANY), TOY_TABLE, 0, STATUS_OUT_OF_RANGE},
        {"2^32 and good", HANDLE(h, ANY), B32, 0, STATUS_OUT_OF_RANGE},
        {"2^63 and good", HANDLE(h, ANY), B63, 0, STATUS_OUT_OF_RANGE},
        {"all ones", HANDLE(h, ANY), UINT64_MAX, 0, STATUS_OUT_OF_RANGE},
    };
    TRY_ROWS(rows);
    const struct syscall_argument d[] = {HANDLE(h, ANY)};
    uint64_t a[SYSCALL_ARGUMENTS] = {TOY_INITIATOR_2};
    cr_assert(eq(int, arguments_check(&toy, d, 1, a), STATUS_OK));
    cr_assert(eq(ptr, (void *)a[0], &toy_object[TOY_INITIATOR_2]));
}

Test(arguments, buffers, .init = toy_create)
{
    memcpy(toy_data, "text", 5);
    const struct row rows[] = {
        {"in", IN(b, UINT32_MAX), TOY_CONSTANTS_AT, TOY_PAGE, STATUS_OK},
        {"in of just the most", IN(b, 32), TOY_DATA_AT + 1, 32, STATUS_OK},
        {"in, longer than the most", IN(b, 32), TOY_DATA_AT, 33, STATUS_OUT_OF_RANGE},
        {"in, longer and bad", IN(b, 32), 0, 33, STATUS_OUT_OF_RANGE},
        {"in, longer by 2^32", IN(b, 32), TOY_DATA_AT, B32 | 1, STATUS_OUT_OF_RANGE},
        {"in, as long as 32 bits", IN(b, UINT32_MAX), TOY_DATA_AT, UINT32_MAX, STATUS_PERMISSION_DENIED},
        {"in, longer than 32 bits", IN(b, UINT32_MAX), TOY_DATA_AT, B32, STATUS_PERMISSION_DENIED},
        {"in from null", IN(b, 32), 0, 1, STATUS_INVALID_ARGUMENT},
        {"nothing from null", IN(b, 32), 0, 0, STATUS_OK},
        {"nothing from anywhere", IN(b, 32), UNMAPPED, 0, STATUS_OK},
        {"in from nowhere", IN(b, 32), UNMAPPED, 1, STATUS_PERMISSION_DENIED},
        {"out", OUT(b, UINT32_MAX), TOY_STACK_AT, TOY_PAGE, STATUS_OK},
        {"out of just the most", OUT(b, 8), TOY_STACK_AT, 8, STATUS_OK},
        {"out, longer than the most", OUT(b, 8), TOY_STACK_AT, 9, STATUS_OUT_OF_RANGE},
        {"out to a constant", OUT(b, 32), TOY_CONSTANTS_AT, 1, STATUS_PERMISSION_DENIED},
        {"out to code", OUT(b, 32), TOY_TEXT_AT, 1, STATUS_PERMISSION_DENIED},
        {"out to null", OUT(b, 32), 0, 1, STATUS_INVALID_ARGUMENT},
        {"nothing to null", OUT(b, 32), 0, 0, STATUS_OK},
        {"in or null", IN_OR_NULL(b, 32), TOY_DATA_AT, 32, STATUS_OK},
        {"null, any length", IN_OR_NULL(b, 32), 0, UINT64_MAX, STATUS_OK},
        {"in or null, too long", IN_OR_NULL(b, 32), TOY_DATA_AT, 33, STATUS_OUT_OF_RANGE},
        {"in or null, bad", IN_OR_NULL(b, 32), UNMAPPED, 1, STATUS_PERMISSION_DENIED},
        {"text", STRING(s, 5), TOY_DATA_AT, 0, STATUS_OK},
        {"text without end", STRING(s, 4), TOY_DATA_AT, 0, STATUS_OUT_OF_RANGE},
        {"text at null", STRING(s, 5), 0, 0, STATUS_INVALID_ARGUMENT},
        {"text nowhere", STRING(s, 5), UNMAPPED, 0, STATUS_PERMISSION_DENIED},
    };
    TRY_ROWS(rows);
}

Test(arguments, the_first_that_is_wrong_decides, .init = toy_create)
{
    const struct syscall_argument d[] = {HANDLE(h, ANY), RANGE(r, 0, 1), IN(b, 32), LENGTH(n), FLAGS(f, 1)};
    const struct {
        uint64_t a[SYSCALL_ARGUMENTS];
        enum status status;
    } rows[] = {
        {{0, 1, TOY_DATA_AT, 32, 1}, STATUS_OK},       {{99, 9, 0, 99, 9}, STATUS_OUT_OF_RANGE},
        {{0, 1, 0, 8, 9}, STATUS_INVALID_ARGUMENT},    {{0, 1, UNMAPPED, 8, 9}, STATUS_PERMISSION_DENIED},
        {{0, 2, UNMAPPED, 8, 9}, STATUS_OUT_OF_RANGE}, {{0, 0, TOY_DATA_AT, 8, 2}, STATUS_INVALID_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t a[SYSCALL_ARGUMENTS];
        memcpy(a, rows[i].a, sizeof(a));
        cr_assert(eq(int, arguments_check(&toy, d, 5, a), rows[i].status), "row %zu", i);
    }
    uint64_t none[SYSCALL_ARGUMENTS] = {99, 99, 99, 99, 99, 99};
    cr_assert(eq(int, arguments_check(&toy, d, 0, none), STATUS_OK), "what is not there is not checked");
}

/* Handle tables of every size, each an allocation to the byte: a read outside is seen. */
Test(arguments, both_look_for_handles_inside_the_table)
{
    static const uint64_t handles[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, B32 - 1, B32, B32 | 1, B63, UINT64_MAX};
    for (uint32_t objects = 0; objects <= TOY_OBJECTS; objects++) {
        toy_create_with(objects);
        size_t bytes = (toy.object_mask + 1) * sizeof(struct object *);
        toy.objects = memcpy(malloc(bytes), toy_table, bytes);
        for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
            bool exists = handles[i] < objects;
            const struct syscall_argument any[] = {HANDLE(h, ANY)}, typed[] = {HANDLE(h, CHANNEL_HANDLER)};
            uint64_t a[SYSCALL_ARGUMENTS] = {handles[i]}, to = 0;
            cr_assert(eq(int, argument_is_hot(&toy, any, a, &to), exists), "%u objects, handle %lx", objects,
                      handles[i]);
            cr_assert(eq(ptr, (void *)to, exists ? &toy_object[handles[i]] : NULL));
            cr_assert(eq(int, arguments_check(&toy, any, 1, a), exists ? STATUS_OK : STATUS_OUT_OF_RANGE));
            exists = exists && toy_object[handles[i]].type == IMAGE_OBJECT_CHANNEL_HANDLER;
            a[0] = handles[i];
            cr_assert(eq(int, argument_is_hot(&toy, typed, a, &to), exists), "%u objects, handle %lx", objects,
                      handles[i]);
        }
        free(toy.objects);
    }
}

static const struct call {
    const char *name;
    uint32_t count;
    const struct syscall_argument *arguments;
} calls[] = {
#define DEFINE_SYSCALL(number, name, ...) {#name, name##_count, name##_arguments},
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL
};
enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

static uint64_t pick(const uint64_t *from, size_t n)
{
    return from[(size_t)random() % n];
}
#define PICK(from) pick(from, sizeof(from) / sizeof((from)[0]))

static bool is_buffer(uint8_t kind)
{
    return kind >= ARGUMENT_IN && kind <= ARGUMENT_OUT_PIECES;
}

/* What a program might pass, more often good than bad; addresses also such that the kernel's address would be null. */
static uint64_t random_register(uint8_t kind)
{
    const uint64_t addresses[] = {TOY_DATA_AT,
                                  TOY_DATA_AT + 1,
                                  TOY_DATA_END - 8,
                                  TOY_STACK_AT,
                                  TOY_STACK_END - 1,
                                  TOY_TEXT_AT,
                                  TOY_CONSTANTS_AT,
                                  TOY_DATA_END,
                                  0,
                                  1,
                                  UNMAPPED,
                                  UINT64_MAX,
                                  B63,
                                  B32,
                                  TOY_STACK_AT + 64,
                                  TOY_DATA_AT,
                                  0xffff800000000000u,
                                  -toy.hot[USER_IN].to_kernel,
                                  TOY_STACK_AT,
                                  TOY_DATA_AT + 4096};
    static const uint64_t lengths[] = {0, 0, 1, 1, 7, 8, 8, 32, 33, 224, 1024, 1025, 4096, 8192, 8193, 1ul << 32, ~0ul};
    static const uint64_t values[] = {0, 0,  1,   1,   2,         3,         4,         5,   7,
                                      8, 15, 127, 128, 1ul << 31, 1ul << 32, 1ul << 63, ~0ul};
    if (is_buffer(kind) || kind == ARGUMENT_STRING)
        return PICK(addresses);
    uint64_t v = kind == ARGUMENT_LENGTH ? PICK(lengths) : PICK(values);
    return random() % 64 ? v : v | (uint64_t)random() << 33;
}

/* Of a buffer of no bytes the address is nobody's; only whether there is one matters. */
static void check_same(const char *name, const struct syscall_argument *d, uint32_t count, const uint64_t *raw,
                       const uint64_t *a, const uint64_t *to)
{
    for (uint32_t i = 0; i < count; i++) {
        bool empty = is_buffer(d[i].kind) && !raw[i + 1];
        bool same = !empty ? a[i] == to[i] : d[i].kind != ARGUMENT_IN_OR_NULL || !a[i] == !to[i];
        if (!same) /* one report per check would cost more than the check */
            cr_assert(eq(u64, to[i], a[i]), "%s: argument %u, register %lx", name, i, raw[i]);
    }
}

/* One call with random registers, by both; how the hot one saw it. */
static bool try_both(const char *name, const struct syscall_argument *d, uint32_t count)
{
    uint64_t raw[SYSCALL_ARGUMENTS + 1] = {0}, a[SYSCALL_ARGUMENTS], to[SYSCALL_ARGUMENTS] = {0};
    for (uint32_t i = 0; i < count; i++)
        raw[i] = random_register(d[i].kind);
    memcpy(a, raw, sizeof(a));
    bool hot = arguments_are_hot(&toy, d, count, raw, to);
    enum status s = arguments_check(&toy, d, count, a);
    if (hot && s != STATUS_OK)
        cr_assert(eq(int, s, STATUS_OK), "%s: %lx %lx %lx %lx %lx %lx", name, raw[0], raw[1], raw[2], raw[3], raw[4],
                  raw[5]);
    if (hot)
        check_same(name, d, count, raw, a, to);
    return hot;
}

Test(arguments, both_decoders_agree_on_every_call, .init = toy_create)
{
    uint32_t hot[CALLS] = {0};
    for (uint32_t i = 0; i < TRIES; i++)
        hot[i % CALLS] += try_both(calls[i % CALLS].name, calls[i % CALLS].arguments, calls[i % CALLS].count);
    for (uint32_t i = 0; i < CALLS; i++)
        cr_assert(hot[i] > TRIES / CALLS / 500 || calls[i].arguments[0].type > IMAGE_OBJECT_HISTOGRAM,
                  "%s is never hot", calls[i].name); /* the toy has no objects of other types */
}

Test(arguments, both_decoders_agree_on_made_up_calls, .init = toy_create)
{
    const struct syscall_argument kinds[] = {
        VALUE(v),
        HANDLE(h, ANY),
        HANDLE(h, HISTOGRAM),
        FLAGS(f, 5),
        FLAGS(f, UINT32_MAX),
        RANGE(r, 3, 127),
        IN(b, 32),
        OUT(b, 4096),
        DEADLINE(d),
        IN_OR_NULL(b, 1024),
        STRING(s, 16),
        IN_OR_NULL(b, UINT32_MAX),
    };
    uint32_t hot = 0;
    for (uint32_t i = 0; i < TRIES; i++) {
        struct syscall_argument d[SYSCALL_ARGUMENTS + 1];
        uint32_t count = 0;
        while (count < 1 + (uint32_t)random() % SYSCALL_ARGUMENTS) {
            d[count++] = kinds[(size_t)random() % (sizeof(kinds) / sizeof(kinds[0]))];
            if (is_buffer(d[count - 1].kind))
                d[count++] = (struct syscall_argument)LENGTH(n);
        }
        if (count <= SYSCALL_ARGUMENTS)
            hot += try_both("made up", d, count);
    }
    cr_assert(lt(u32, TRIES / 500, hot));
}
