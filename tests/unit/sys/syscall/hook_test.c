/* SPDX-License-Identifier: MIT
 * Hooks around calls that return, are refused or block, and hooks that come and go meanwhile, on one CPU and on four
 * whose messages arrive in any order (hook_world.c). The last test does all of it at random against a model. */
#include "tests/unit/sys/syscall/hook_world.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <string.h>
#include "sys/lib/panic.h"

/* name(cpus) as two tests. */
#define TEST_ON_CPUS(name)                                                                                             \
    static void name##_on(uint32_t cpus);                                                                              \
    Test(hook, name##_on_1_cpu)                                                                                        \
    {                                                                                                                  \
        world_create(1);                                                                                               \
        name##_on(1);                                                                                                  \
    }                                                                                                                  \
    Test(hook, name##_on_4_cpus)                                                                                       \
    {                                                                                                                  \
        world_create(4);                                                                                               \
        name##_on(4);                                                                                                  \
    }                                                                                                                  \
    static void name##_on(uint32_t cpus)

static const struct result answer = {STATUS_OK, 77};

static void trace_is(const char *expected)
{
    cr_assert(eq(str, world.trace, (char *)(uintptr_t)expected), "CPU %u", percpu_head.cpu);
}

/* A call that returns, on the running CPU. */
static struct result call(void)
{
    struct result r = {STATUS_UNKNOWN, 0};
    cr_assert(world_call(0, 5, &r));
    return r;
}

static void block(uint32_t thread)
{
    struct result r;
    world.blocks = true;
    cr_assert(not(world_call(thread, 5, &r)));
    world.blocks = false;
}

TEST_ON_CPUS(every_call_is_seen_in_the_order_of_the_hooks)
{
    world_switch(0, true);
    world_switch(1, true);
    world_switch(2, true);
    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        world_enter(cpu);
        world.result = answer;
        cr_assert(eq(u64, call().value, 77));
        trace_is("<0<1<2*>0>1>2");
        cr_assert(eq(u64, world.seen.value, 77));
    }
    world_enter(0);
    world_switch(1, false);
    (void)call();
    trace_is("<0<2*>0>2");
    world_switch(1, true);
    (void)call();
    trace_is("<0<2<1*>0>2>1");
    world_switch(0, false), world_switch(1, false), world_switch(2, false);
    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        world_enter(cpu);
        cr_assert(not(world_is_hooked()), "no hook costs nothing");
        (void)call();
        trace_is("*");
    }
}

TEST_ON_CPUS(a_refusal_ends_the_pre_hooks_and_all_post_hooks_see_it)
{
    world_switch(0, true);
    world_switch(1, true);
    world_switch(2, true);
    world_enter(cpus - 1);
    static const char *const traces[] = {"<0>0>1>2", "<0<1>0>1>2", "<0<1<2>0>1>2"};
    for (int i = 0; i < 3; i++) {
        world.refusing = i;
        struct result r = call();
        cr_assert(eq(u64, r.status, STATUS_PERMISSION_DENIED));
        cr_assert(eq(u64, r.value, (uint64_t)i), "by that hook");
        cr_assert(eq(u64, world.seen.status, STATUS_PERMISSION_DENIED));
        trace_is(traces[i]);
    }
}

TEST_ON_CPUS(an_invalid_call_is_a_call)
{
    world_switch(0, true);
    world_enter(cpus - 1);
    world.result = result_of(STATUS_INVALID_ARGUMENT);
    cr_assert(eq(u64, call().status, STATUS_INVALID_ARGUMENT));
    trace_is("<0*>0");
    cr_assert(eq(u64, world.seen.status, STATUS_INVALID_ARGUMENT));
}

TEST_ON_CPUS(hooks_see_who_calls_what)
{
    struct result r;
    world_switch(0, true);
    world_enter(cpus - 1);
    cr_assert(world_call(2, 17, &r));
    const struct syscall_context *c = &world.context;
    cr_assert(eq(ptr, (void *)(uintptr_t)c->thread, &world.threads[cpus - 1][2]));
    cr_assert(eq(ptr, (void *)(uintptr_t)c->process, &world.process));
    cr_assert(eq(u32, c->number, 17));
    cr_assert(eq(u32, c->cpu, cpus - 1));
    cr_assert(eq(u64, c->origin, 0x201000 + 17));
    cr_assert(eq(u64, c->arguments[0], 17));
    cr_assert(eq(u64, c->arguments[5], 6));
    cr_assert(lt(u64, 0, c->entry_tsc));
    uint64_t before = c->entry_ns;
    (void)call();
    cr_assert(lt(u64, before, c->entry_ns));
}

Test(hook, either_half_may_be_missing)
{
    world_create(1);
    hooks_of_test[0].pre = NULL;
    hooks_of_test[1].post = NULL;
    hooks_of_test[0].start = NULL;
    world_switch(0, true);
    world_switch(1, true);
    (void)call();
    trace_is("<1*>0");
}

TEST_ON_CPUS(a_blocked_calls_end_is_seen)
{
    world_switch(0, true);
    world_switch(1, true);
    world_enter(cpus - 1);
    block(1);
    trace_is("<0<1*");
    (void)call(); /* another thread's, meanwhile */
    trace_is("<0<1*>0>1");
    world_wake(1, answer);
    trace_is(">0>1");
    cr_assert(eq(u64, world.seen.value, 77));
    cr_assert(eq(u32, world.context.number, 5));
    world_wake(1, answer);
    trace_is(""); /* an end is seen once */
}

/* The hook goes while a thread is inside a call that it saw begin; the places of the others move. */
TEST_ON_CPUS(a_hook_that_has_gone_sees_no_end)
{
    static const char *const traces[] = {">1>2>3", ">0>2>3", ">0>1>3", ">0>1>2"};
    for (int gone = 0; gone < 4; gone++) {
        for (int i = 0; i < 4; i++)
            world_switch(i, true);
        world_enter(cpus - 1);
        block(1);
        world_switch(gone, false);
        world_wake(1, answer);
        trace_is(traces[gone]);
        for (int i = 0; i < 4; i++)
            world_switch(i, false);
    }
}

TEST_ON_CPUS(whoever_comes_meanwhile_sees_no_end)
{
    world_enter(cpus - 1);
    block(1); /* before any hook */
    world_switch(0, true);
    world_switch(1, true);
    block(2);
    world_switch(2, true);
    world_switch(0, false);
    world_switch(0, true); /* another time, another place */
    world_wake(1, answer);
    trace_is("");
    world_wake(2, answer);
    trace_is(">1");
    (void)call();
    trace_is("<1<2<0*>1>2>0");
}

/* Then the thread has nothing special about it, and the fast ways out are right for it. */
TEST_ON_CPUS(a_thread_without_hooks_left_goes_straight_on)
{
    world_switch(0, true);
    world_switch(1, true);
    world_enter(cpus - 1);
    block(1);
    struct thread *t = &world.threads[cpus - 1][1];
    world_switch(1, false);
    cr_assert(eq(u8, t->resume, THREAD_HOOKED));
    world_switch(0, false);
    cr_assert(eq(u8, t->resume, 0));
    t->resume = THREAD_INTERRUPTED; /* a thread that was interrupted stays so, whatever goes */
    world_switch(0, true);
    world_switch(0, false);
    cr_assert(eq(u8, t->resume, THREAD_INTERRUPTED));
}

static void take_messages(void)
{
    while (world_deliver_one())
        ;
}

/* thread_yield looks at the inbox while its own call is under way. */
Test(hook, the_list_changes_inside_a_call_that_goes_on)
{
    world_create(1);
    world.inside = take_messages;
    world_switch(0, true);
    world_switch(1, true);
    cr_assert(eq(int, hook_add(&hooks_of_test[2]), STATUS_OK));
    (void)call();
    trace_is("<0<1*^2>0>1");
    cr_assert(eq(int, hook_remove(&hooks_of_test[0]), STATUS_OK));
    (void)call();
    trace_is("<0<1<2*>1>2");
    cr_assert(eq(int, hook_remove(&hooks_of_test[1]), STATUS_OK));
    cr_assert(eq(int, hook_remove(&hooks_of_test[2]), STATUS_OK));
    (void)call();
    trace_is("<1<2*");
    (void)call();
    trace_is("*");
}

TEST_ON_CPUS(a_change_is_over_when_every_cpu_has_made_it)
{
    struct syscall_hook *h = &hooks_of_test[0];
    for (int round = 0; round < 50; round++) {
        for (int on = 1; on >= 0; on--) {
            world_enter(world_random(cpus));
            memset(world.trace, 0, sizeof(world.trace));
            cr_assert(eq(u32, hook_state(h), on ? HOOK_OFF : HOOK_ON));
            cr_assert(eq(u32, on ? hook_add(h) : hook_remove(h), STATUS_OK));
            cr_assert(eq(u32, world_messages(), percpu_head.cpu == 0 ? cpus : 1));
            while (world_messages()) {
                cr_assert(eq(u32, hook_state(h), on ? HOOK_STARTING : HOOK_STOPPING));
                world_enter(world_random(cpus));
                cr_assert(eq(u32, on ? hook_add(h) : hook_remove(h), STATUS_OK), "it is under way");
                cr_assert(eq(u32, on ? hook_remove(h) : hook_add(h), STATUS_UNAVAILABLE), "the opposite must wait");
                (void)world_deliver_one();
            }
            cr_assert(eq(u32, hook_state(h), on ? HOOK_ON : HOOK_OFF));
            cr_assert(eq(u32, on ? hook_add(h) : hook_remove(h), STATUS_OK), "it is so already");
            cr_assert(eq(u32, world_messages(), 0), "nothing begins twice");
        }
    }
}

/* From different CPUs at once: all CPUs have them in one order. */
Test(hook, all_cpus_have_one_order)
{
    world_create(4);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 4; i++) {
            world_enter(world_random(4));
            cr_assert(eq(int, hook_add(&hooks_of_test[i]), STATUS_OK));
            for (uint32_t n = world_random(8); n; n--) {
                world_enter(world_random(4));
                (void)world_deliver_one();
            }
        }
        world_deliver();
        char first[TRACE_BYTES];
        world_enter(0);
        (void)call();
        memcpy(first, world.trace, sizeof(first));
        cr_assert(eq(sz, strlen(first), 4 * 2 + 1 + 4 * 2));
        for (uint32_t cpu = 1; cpu < 4; cpu++) {
            world_enter(cpu);
            (void)call();
            trace_is(first);
        }
        for (int i = 0; i < 4; i++)
            world_switch(i, false);
    }
}

TEST_ON_CPUS(a_hook_starts_on_each_cpu_before_it_sees_a_call_there)
{
    cr_assert(eq(int, hook_add(&hooks_of_test[3]), STATUS_OK));
    memset(world.trace, 0, sizeof(world.trace));
    world_deliver();
    trace_is(cpus == 1 ? "^3" : "^3^3^3^3");
}

/* At boot: whichever CPU comes first to run threads looks at its inbox before, and needs no other CPU. */
TEST_ON_CPUS(what_the_boot_cpu_begins_waits_for_nobody)
{
    cr_assert(eq(int, hook_add(&hooks_of_test[0]), STATUS_OK));
    cr_assert(eq(int, hook_add(&hooks_of_test[1]), STATUS_OK));
    for (uint32_t cpu = cpus; cpu--;) {
        world_enter(cpu);
        cr_assert(world_deliver_one());
        cr_assert(world_deliver_one());
        (void)call();
        trace_is("<0<1*>0>1");
    }
}

TEST_ON_CPUS(so_many_hooks_and_no_more)
{
    for (int i = 0; i < HOOK_MAX; i++)
        world_switch(i, true);
    world_enter(cpus - 1);
    cr_assert(eq(int, hook_add(&hooks_of_test[HOOK_MAX]), STATUS_RESOURCE_EXHAUSTED));
    cr_assert(eq(u32, hook_state(&hooks_of_test[HOOK_MAX]), HOOK_OFF));
    cr_assert(eq(u32, world_messages(), 0));
    (void)call();
    trace_is("<0<1<2<3<4<5<6<7*>0>1>2>3>4>5>6>7");
    block(1);
    cr_assert(eq(int, hook_remove(&hooks_of_test[7]), STATUS_OK));
    cr_assert(eq(int, hook_add(&hooks_of_test[HOOK_MAX]), STATUS_RESOURCE_EXHAUSTED), "still there");
    world_deliver();
    world_switch(HOOK_MAX, true);
    world_wake(1, answer);
    trace_is(">0>1>2>3>4>5>6"); /* not 8, which is where 7 was */
}

/* The model: for each CPU the hooks in its list, and for each thread those that saw the call begin in which it is. */
struct list {
    int hook[HOOK_MAX];
    uint32_t count;
};
static struct {
    struct list here[CPUS_MAX], saw[CPUS_MAX][THREADS_PER_CPU];
    bool blocked[CPUS_MAX][THREADS_PER_CPU];
    char expected[TRACE_BYTES];
    void (*change)(const struct inbox_message *m); /* what makes a change on one CPU */
} model;

static bool has(const struct list *l, int hook)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (l->hook[i] == hook)
            return true;
    return false;
}

static void take_out(struct list *l, int hook)
{
    struct list left = {.count = 0};
    for (uint32_t i = 0; i < l->count; i++)
        if (l->hook[i] != hook)
            left.hook[left.count++] = l->hook[i];
    *l = left;
}

static void expect_note(char what, int hook)
{
    size_t n = strlen(model.expected);
    model.expected[n] = what;
    model.expected[n + 1] = (char)(hook < 0 ? 0 : '0' + hook);
}

static void expect_posts(const struct list *here, const struct list *saw)
{
    for (uint32_t i = 0; i < here->count; i++)
        if (has(saw, here->hook[i]))
            expect_note('>', here->hook[i]);
}

/* The running CPU takes a message, and so does the model. */
static void model_deliver(void)
{
    uint32_t cpu = percpu_head.cpu;
    const struct inbox_message *m = world_peek();
    if (m && m->run == model.change) {
        int hook = (int)((struct syscall_hook *)m->word[0] - hooks_of_test);
        if (m->word[1]) {
            model.here[cpu].hook[model.here[cpu].count++] = hook;
            expect_note('^', hook);
        } else {
            take_out(&model.here[cpu], hook);
            for (uint32_t i = 0; i < THREADS_PER_CPU; i++)
                take_out(&model.saw[cpu][i], hook);
        }
    }
    (void)world_deliver_one();
}

static void model_inside(void)
{
    for (uint32_t n = world_random(4); n; n--)
        model_deliver();
}

/* A call that returns, is refused, or blocks; messages may arrive while it is under way. */
static void model_call(uint32_t thread)
{
    uint32_t cpu = percpu_head.cpu;
    struct list *here = &model.here[cpu], *saw = &model.saw[cpu][thread];
    struct result r;
    memset(model.expected, 0, sizeof(model.expected));
    world.refusing = here->count && !world_random(4) ? here->hook[world_random(here->count)] : -1;
    world.blocks = !world_random(2);
    world.inside = world_random(2) ? model_inside : NULL;
    *saw = *here;
    for (uint32_t i = 0; i < here->count; i++) {
        expect_note('<', here->hook[i]);
        if (here->hook[i] == world.refusing)
            break;
    }
    if (world.refusing < 0)
        expect_note('*', -1);
    bool returned = world_call(thread, 5, &r);
    cr_assert(eq(int, returned, world.refusing >= 0 || !world.blocks));
    if (returned)
        expect_posts(here, saw);
    model.blocked[cpu][thread] = !returned;
}

static void model_wake(uint32_t thread)
{
    uint32_t cpu = percpu_head.cpu;
    memset(model.expected, 0, sizeof(model.expected));
    world_wake(thread, answer);
    expect_posts(&model.here[cpu], &model.saw[cpu][thread]);
    model.blocked[cpu][thread] = false;
}

static void model_step(uint32_t cpus)
{
    uint32_t cpu = world_random(cpus), thread = world_random(THREADS_PER_CPU), what = world_random(8);
    struct syscall_hook *h = &hooks_of_test[world_random(HOOKS)];
    world_enter(cpu);
    if (what < 4)
        model_deliver();
    else if (what == 4)
        (void)(world_random(2) ? hook_add(h) : hook_remove(h));
    else if (model.blocked[cpu][thread])
        model_wake(thread);
    else
        model_call(thread);
    if (strcmp(world.trace, model.expected) != 0)
        trace_is(model.expected);
    if (world_is_hooked() != (model.here[cpu].count != 0))
        cr_assert(0, "%u hooks on CPU %u", model.here[cpu].count, cpu);
}

/* What hook_state says is so on all CPUs. */
static void model_check(uint32_t cpus)
{
    for (int i = 0; i < HOOKS; i++) {
        enum hook_state s = hook_state(&hooks_of_test[i]);
        for (uint32_t cpu = 0; cpu < cpus; cpu++) {
            bool there = has(&model.here[cpu], i);
            if ((s == HOOK_ON && !there) || (s == HOOK_OFF && there))
                cr_assert(0, "hook %d, state %u, on CPU %u: %d", i, s, cpu, there);
        }
    }
}

TEST_ON_CPUS(whatever_comes_when_it_likes)
{
    cr_assert(eq(int, hook_add(&hooks_of_test[0]), STATUS_OK));
    world_enter(cpus - 1);
    model.change = world_peek()->run;
    for (int i = 0; i < 500000; i++) {
        model_step(cpus);
        model_check(cpus);
    }
}
