/* SPDX-License-Identifier: MIT
 * Calls that are registered at run time, as examples. `add`, two values to their sum: the row of kinds is all that
 * decoding and validation need. `sum`, values in memory to theirs: where they are is inside a buffer, beyond any row of
 * kinds, and sys/syscall/validator.h checks it. */
#include "sys/syscall/examples.h"

#include "sys/abi/examples.h"
#include "sys/lib/string.h"
#include "sys/syscall/validator.h"

static const struct syscall_argument add_kinds[] = {VALUE(a), VALUE(b)};

static struct result add(const struct syscall_args *args)
{
    uint64_t a = 0, b = 0;
    if (!syscall_args_get(args, 0, &a) || !syscall_args_get(args, 1, &b))
        return result_of(STATUS_INTERNAL);
    return result_ok(a + b);
}

static const struct syscall_argument sum_kinds[] = {IN(request, sizeof(struct sum_request)), LENGTH(n)};

/* Of unaligned words. */
static uint64_t sum_words(const char *words, uint64_t count)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t word;
        memcpy(&word, words + i * sizeof(word), sizeof(word));
        sum += word;
    }
    return sum;
}

static struct result sum(const struct syscall_args *args)
{
    struct sum_request request;
    struct validator v = validator_begin(args->process);
    validator_range(&v, args->value[1], sizeof(request), sizeof(request));
    if (validator_check(&v) != STATUS_OK)
        return result_of(validator_check(&v));
    memcpy(&request, syscall_args_as_ptr(args, 0), sizeof(request)); /* once: what is checked is what is used */
    validator_range(&v, request.count, 0, SUM_VALUES_MAX);           /* bounds the time with interrupts off */
    const char *words = validator_ptr(&v, request.address, request.count * sizeof(uint64_t), false);
    if (validator_check(&v) != STATUS_OK)
        return result_of(validator_check(&v));
    return result_ok(sum_words(words, request.count));
}

static const struct syscall_descriptor examples[] = {
    {"add", 2, add_kinds, add},
    {"sum", 2, sum_kinds, sum},
};

const struct syscall_descriptor *example_find(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
        if (bytes_are(name, n, examples[i].name))
            return &examples[i];
    return NULL;
}
