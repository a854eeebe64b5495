/* SPDX-License-Identifier: MIT
 * Real threads as CPUs on the table of calls, under ThreadSanitizer. Some give and take the same numbers, each time
 * with a description that they have just written; others call, look up and name them. A call gives what some
 * description says, or UNIMPLEMENTED; whoever was told OK for a number has it alone until it gives it back. What is
 * written without an atomic here is what that promises to order. Exit status 0 if all held; the first broken rule is
 * printed. */
#include <pthread.h>

#define timer_create kernel_timer_create /* the C library has one, too */
#include "sys/syscall/extension.h"

#include <arch/atomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/unit/sys/toy_process.h"

enum { OWNERS = 3, CALLERS = 3, ROUNDS = 100000, FIRST = 100, NUMBERS = 2 };

struct percpu_head percpu_head;

static const struct syscall_argument kinds[] = {VALUE(v)};
static struct syscall_descriptor descriptions[OWNERS][ROUNDS];
static uint64_t turns[NUMBERS]; /* of whoever has the number */
static bool finished;           /* [a] */
static uint32_t answered;       /* [a] calls that found somebody */
static uint32_t callers;        /* [I] in this run */

static void expect(bool holds, const char *rule)
{
    if (!holds) {
        fprintf(stderr, "extension_threads: broken: %s\n", rule);
        exit(1);
    }
}

static struct result twice(const struct syscall_args *args)
{
    return result_ok(2 * args->value[0]);
}

static struct result thrice(const struct syscall_args *args)
{
    return result_ok(3 * args->value[0]);
}

/* Now and then until somebody has called it: else a host with few CPUs would run one thread after the other. */
static void keep(uint32_t round)
{
    uint32_t before = load_relaxed(&answered);
    while (callers && round % 512 == 0 && load_relaxed(&answered) == before)
        usleep(1);
}

static void *own(void *arg)
{
    struct syscall_descriptor *d = arg;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t number = callers ? i % NUMBERS : 0;
        d[i] = (struct syscall_descriptor){i % 3 ? "twice" : "thrice", 1, kinds, i % 3 ? twice : thrice};
        enum status s = syscall_register(FIRST + number, &d[i]);
        while (s == STATUS_ALREADY_EXISTS)
            s = syscall_register(FIRST + number, &d[i]);
        expect(s == STATUS_OK, "a number is free or taken");
        turns[number]++;
        expect(syscall_name(FIRST + number) == d[i].name, "a name is the owner's while the owner has it");
        keep(i);
        expect(syscall_unregister(FIRST + number) == STATUS_OK, "the owner gives it back");
    }
    return NULL;
}

static void *call(void *arg)
{
    uint64_t v = *(const uint64_t *)arg;
    for (uint32_t i = 0; !load_acquire(&finished); i++) {
        struct result r = extension_call(v, 0, 0, 0, 0, 0, FIRST + i % NUMBERS);
        expect(r.status == STATUS_OK || r.status == STATUS_UNIMPLEMENTED, "a call finds a description or none");
        expect(r.status != STATUS_OK || r.value == 2 * v || r.value == 3 * v, "a call is that of one description");
        if (r.status == STATUS_OK)
            fetch_add_relaxed(&answered, 1);
        uint32_t number = FIRST;
        enum status s = syscall_lookup("twice", 5, &number);
        expect(s == STATUS_OK || s == STATUS_NOT_FOUND, "a name is there or not");
        expect(number - FIRST < NUMBERS, "a name is at one of its numbers");
    }
    return NULL;
}

/* All owners, and so many callers. */
static void run(uint32_t calling)
{
    static uint64_t values[CALLERS] = {1, UINT64_C(1) << 62, UINT64_MAX};
    pthread_t owning[OWNERS], threads[CALLERS];
    callers = calling;
    memset(turns, 0, sizeof(turns));
    store_release(&finished, false);
    for (uint32_t i = 0; i < callers; i++)
        pthread_create(&threads[i], NULL, call, &values[i]);
    for (uint32_t i = 0; i < OWNERS; i++)
        pthread_create(&owning[i], NULL, own, descriptions[i]);
    for (uint32_t i = 0; i < OWNERS; i++)
        pthread_join(owning[i], NULL);
    store_release(&finished, true);
    for (uint32_t i = 0; i < callers; i++)
        pthread_join(threads[i], NULL);
    expect(turns[0] + turns[1] == OWNERS * ROUNDS, "a number has one owner at a time");
    expect(extension_call(1, 0, 0, 0, 0, 0, FIRST).status == STATUS_UNIMPLEMENTED, "in the end nothing is there");
}

int main(void)
{
    toy_create();
    percpu_head.current = &toy_thread;
    run(0); /* nobody is in the way of the owners, who all want the same number */
    run(CALLERS);
    printf("%u registrations twice, %u calls answered\n", OWNERS * ROUNDS, answered);
    return 0;
}
