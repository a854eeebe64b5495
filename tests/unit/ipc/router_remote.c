/* SPDX-License-Identifier: MIT
 * Requests between CPUs: who serves them and when, deadlines, full queues, and modules that go while a request is on
 * its way, in each order. CPU 0 asks, unless a test says otherwise. */
#include "ipc/router_internal.h"
#include "tests/unit/ipc/router_world.h"

static struct toy toys[4];
static struct ask asks[ROUTER_MAILBOX + ROUTER_REQUESTS + 4];

TestSuite(router_remote, .init = world_begin);

static void post(uint32_t id, uint32_t i, char type, enum router_priority priority)
{
    world_ask(&asks[i], type);
    must(world_post(id, &asks[i], priority), OK);
}

static enum status say_where(struct toy *t, struct router_message *m)
{
    (void)t;
    router_write(m, "%u for %u", cpu_index(), router_sender_cpu(m));
    return STATUS_ABORTED;
}

Test(router_remote, a_send_is_served_at_home)
{
    struct router_counts c;
    world_toy(&toys[0], 1, 4, "clock");
    toys[0].serve = say_where;
    world_ask(&asks[0], 'A');
    must(world_send(4, &asks[0]), ABORTED);
    cr_assert(eq(str, asks[0].answer, "1 for 0"));
    cr_assert(eq(u32, cpu_index(), 0));
    cr_assert(not(router_is_busy(&asks[0].m)));
    world_enter(2);
    must(world_send(4, &asks[0]), ABORTED);
    cr_assert(eq(str, asks[0].answer, "1 for 2"));
    cr_assert(eq(u64, asks[0].m.id, 3));
    cr_assert(eq(u64, router_messages_sent(), 2));
    must(router_counts_of(4, &c), OK);
    cr_assert(eq(u64, c.received, 2));
    cr_assert(eq(u64, c.outcomes[STATUS_ABORTED], 2));
    world_settle();
    cr_assert(eq(u32, asks[0].told, 0));
}

static enum status later(struct toy *t, struct router_message *m)
{
    (void)t, (void)m;
    return ROUTER_LATER;
}

Test(router_remote, a_send_cannot_wait_for_later)
{
    world_toy(&toys[0], 1, 4, "clock");
    toys[0].serve = later;
    world_ask(&asks[0], 'A');
    must(world_send(4, &asks[0]), UNIMPLEMENTED);
    post(4, 1, 'B', ROUTER_LOW);
    post(4, 2, 'C', ROUTER_LOW);
    world_settle();
    must(world_send(4, &asks[0]), UNIMPLEMENTED); /* passes them by */
    cr_assert(eq(str, world_trace, "ABA"));
}

/* toys[0] on CPU 0 asks toys[1] on CPU 1, which asks toys[0], and so on. */
static enum status ask_the_other(struct toy *t, struct router_message *m)
{
    struct ask *a = &asks[8 + toys[0].calls + toys[1].calls];
    (void)m;
    world_ask(a, 'B');
    a->outcome = world_send(t == &toys[0] ? 2 : 1, a);
    if (a->outcome != STATUS_OK)
        t->data++;
    return STATUS_OK;
}

Test(router_remote, two_that_ask_each_other_go_on_until_one_is_too_deep)
{
    world_toy(&toys[0], 0, 1, "clock");
    world_toy(&toys[1], 1, 2, "other");
    toys[0].serve = toys[1].serve = ask_the_other;
    world_ask(&asks[0], 'A');
    must(world_send(2, &asks[0]), OK);
    cr_assert(eq(u32, toys[0].calls, ROUTER_NESTING_MAX));
    cr_assert(eq(u32, toys[1].calls, ROUTER_NESTING_MAX));
    cr_assert(eq(u64, toys[0].data, 1));
    cr_assert(eq(u64, toys[1].data, 0));
    cr_assert(eq(int, (int)asks[8 + 2 * ROUTER_NESTING_MAX].outcome, STATUS_RESOURCE_EXHAUSTED));
    struct router_counts c;
    must(router_counts_of(2, &c), OK);
    cr_assert(eq(u64, c.outcomes[STATUS_RESOURCE_EXHAUSTED], 1));
    cr_assert(eq(u64, c.received, ROUTER_NESTING_MAX));
    toys[0].serve = toys[1].serve = NULL;
    must(world_send(2, &asks[0]), OK);
}

/* While CPU 0 waits, CPU 1 and then CPU 2 want something from it as well. */
static void others_ask(void)
{
    world_pause = world_others;
    for (uint32_t cpu = 1; cpu < CPUS; cpu++) {
        world_enter(cpu);
        world_ask(&asks[cpu], (char)('A' + (int)cpu));
        must(world_send(1, &asks[cpu]), OK);
        post(1, 4 + cpu, 'P', ROUTER_LOW);
    }
}

/* What is posted to it waits: its handlers run one at a time. */
Test(router_remote, one_that_waits_serves_what_is_sent_to_it)
{
    world_toy(&toys[0], 0, 1, "clock");
    world_toy(&toys[1], 2, 2, "other");
    world_ask(&asks[0], 'A');
    world_pause = others_ask;
    must(world_send(2, &asks[0]), OK);
    cr_assert(eq(str, world_trace, "BAC"));
    cr_assert(world_is_valid());
    world_settle();
    must_be_told(&asks[5], OK);
    must_be_told(&asks[6], OK);
    cr_assert(eq(str, world_trace, "BACPPpp"));
}

static void it_was_taken(void)
{
    world_pause = world_others;
    cr_assert(eq(u32, toys[0].module.waiting, 2));
}

static void another_posts(void)
{
    world_pause = it_was_taken;
    world_enter(1);
    post(1, 1, 'P', ROUTER_LOW);
    post(1, 2, 'P', ROUTER_LOW);
}

/* The queue is for all modules there, and others need its places. */
Test(router_remote, one_that_waits_empties_its_queue)
{
    world_toy(&toys[0], 0, 1, "clock");
    world_toy(&toys[1], 2, 2, "other");
    world_ask(&asks[0], 'A');
    world_pause = another_posts;
    must(world_send(2, &asks[0]), OK);
    cr_assert(eq(str, world_trace, "A"));
    world_settle();
    cr_assert(eq(str, world_trace, "APPpp"));
}

static void only_time_passes(void)
{
    world_now++;
}

static void send_and_give_up(uint32_t id)
{
    world_ask(&asks[0], 'A');
    asks[0].m.deadline_ns = world_now + 10;
    world_pause = only_time_passes;
    must(world_send(id, &asks[0]), DEADLINE_EXCEEDED);
    world_pause = world_others;
    cr_assert(router_is_busy(&asks[0].m));
    must(world_send(id, &asks[0]), FAILED_PRECONDITION);
    must(world_post(id, &asks[0], ROUTER_LOW), FAILED_PRECONDITION);
}

Test(router_remote, a_deadline_that_passes_before_it_began)
{
    struct router_counts c;
    world_toy(&toys[0], 1, 4, "clock");
    send_and_give_up(4);
    world_settle();
    cr_assert(not(router_is_busy(&asks[0].m)));
    cr_assert(eq(u32, toys[0].calls, 0));
    cr_assert(eq(u32, asks[0].told, 0));
    must(router_counts_of(4, &c), OK);
    cr_assert(eq(u64, c.expired, 1));
    asks[0].m.deadline_ns = UINT64_MAX;
    must(world_post(4, &asks[0], ROUTER_LOW), OK);
    cr_assert(router_is_busy(&asks[0].m), "an outcome of before says nothing of it");
    world_settle();
    must_be_told(&asks[0], OK);
    must(world_send(4, &asks[0]), OK);
}

/* The other CPU had begun. (Its clock is put back instead: it cannot be stopped in the middle here.) */
Test(router_remote, an_answer_that_comes_too_late)
{
    world_toy(&toys[0], 1, 4, "clock");
    toys[0].serve = say_where;
    send_and_give_up(4);
    world_now -= 5;
    world_settle();
    cr_assert(eq(u32, toys[0].calls, 1));
    cr_assert(not(router_is_busy(&asks[0].m)));
    must(world_send(4, &asks[0]), ABORTED);
}

static enum status take_long(struct toy *t, struct router_message *m)
{
    (void)t, (void)m;
    world_now += 20;
    return STATUS_OK;
}

/* It had begun in time, and the answer is there: late, but an answer. */
Test(router_remote, an_answer_is_not_said_to_be_a_deadline)
{
    world_toy(&toys[0], 1, 4, "clock");
    toys[0].serve = take_long;
    world_ask(&asks[0], 'A');
    asks[0].m.deadline_ns = world_now + 10;
    must(world_send(4, &asks[0]), OK);
    cr_assert(not(router_is_busy(&asks[0].m)));
}

Test(router_remote, a_post_that_has_not_begun_by_its_deadline)
{
    world_toy(&toys[0], 1, 4, "clock");
    for (uint32_t i = 0; i < 2; i++) {
        world_ask(&asks[i], 'A');
        asks[i].m.deadline_ns = world_now + 10 * (i + 1);
        must(world_post(4, &asks[i], ROUTER_LOW), OK);
    }
    world_now += 10;
    world_settle();
    must_be_told(&asks[0], DEADLINE_EXCEEDED);
    must_be_told(&asks[1], OK);
}

static char heard[64];

static void hear(void *context, uint32_t id, enum status outcome, const struct router_message *m)
{
    size_t n = strlen(heard);
    (void)context, (void)m;
    snprintf(heard + n, sizeof(heard) - n, "%u:%d ", id, (int)outcome);
}

/* One of them never looks: the rest are not asked with a message that it still has. */
Test(router_remote, a_broadcast_that_is_given_up)
{
    world_toy(&toys[0], 0, 1, "a");
    world_toy(&toys[1], 1, 2, "b");
    world_toy(&toys[2], 0, 3, "c");
    world_ask(&asks[0], 'A');
    asks[0].m.deadline_ns = world_now + 10;
    world_pause = only_time_passes;
    cr_assert(eq(u32, router_broadcast(&asks[0].m, (struct router_from){0}, hear, NULL), 3));
    cr_assert(eq(str, heard, "1:0 2:4 3:4 "));
    cr_assert(router_is_busy(&asks[0].m));
    world_settle();
    cr_assert(not(router_is_busy(&asks[0].m)));
    cr_assert(eq(u32, toys[1].calls + toys[2].calls, 0));
}

static void unregister(uint32_t cpu, struct toy *t)
{
    uint32_t here = cpu_index();
    world_enter(cpu);
    must(router_unregister(&t->module), OK);
    world_enter(here);
}

static void it_goes(void)
{
    world_pause = world_others;
    world_enter(1);
    must(router_unregister(&toys[0].module), OK);
}

static void it_moves(void)
{
    it_goes();
    world_toy(&toys[0], 2, 4, "clock");
}

static void another_takes_its_place(void)
{
    it_goes();
    world_toy(&toys[1], 1, 4, "another");
}

Test(router_remote, the_module_goes_before_a_send_arrives)
{
    world_toy(&toys[0], 1, 4, "clock");
    world_ask(&asks[0], 'A');
    world_pause = it_goes;
    must(world_send(4, &asks[0]), UNAVAILABLE);
    must(world_send(4, &asks[0]), NOT_FOUND);
    world_toy(&toys[0], 1, 4, "clock");
    world_pause = it_moves;
    must(world_send(4, &asks[0]), UNAVAILABLE);
    must(world_send(4, &asks[0]), OK);
    cr_assert(eq(u32, toys[0].calls, 1));
    cr_assert(world_is_valid());
}

Test(router_remote, another_has_the_id_when_a_send_arrives)
{
    world_toy(&toys[0], 1, 4, "clock");
    world_ask(&asks[0], 'A');
    world_pause = another_takes_its_place;
    must(world_send(4, &asks[0]), OK);
    cr_assert(eq(u32, toys[0].calls, 0));
    cr_assert(eq(u32, toys[1].calls, 1));
}

/* Before it arrives, when it is in the mailbox, when it was put off, when it was served. */
Test(router_remote, the_module_goes_while_a_post_is_on_its_way)
{
    for (uint32_t when = 0; when < 4; when++) {
        world_toy(&toys[0], 1, 4, "clock");
        toys[0].serve = when == 2 ? later : NULL;
        post(4, when, 'A', ROUTER_LOW);
        if (when > 0) {
            world_enter(1);
            if (when == 1)
                cr_assert(router_take_request(this_cpu_ptr(router_shard)));
            else
                cr_assert(world_step());
            world_enter(0);
        }
        unregister(1, &toys[0]);
        cr_assert(eq(u32, asks[when].told, 0));
        world_settle();
        if (when < 3)
            must_be_told(&asks[when], UNAVAILABLE);
        else
            must_be_told(&asks[when], OK);
    }
    cr_assert(eq(u32, toys[0].calls, 2));
}

Test(router_remote, the_module_moves_or_is_another_when_a_post_arrives)
{
    world_toy(&toys[0], 1, 4, "clock");
    post(4, 0, 'A', ROUTER_LOW);
    it_moves();
    world_enter(0);
    post(4, 1, 'B', ROUTER_LOW);
    world_settle();
    must_be_told(&asks[0], UNAVAILABLE);
    must_be_told(&asks[1], OK);
    world_enter(2);
    must(router_unregister(&toys[0].module), OK);
    world_toy(&toys[0], 1, 4, "clock");
    world_enter(0);
    post(4, 2, 'A', ROUTER_LOW);
    another_takes_its_place();
    world_enter(0);
    world_settle();
    must_be_told(&asks[2], OK);
    cr_assert(eq(u32, toys[1].calls, 1));
}

Test(router_remote, a_full_queue_refuses)
{
    world_toy(&toys[0], 1, 4, "clock");
    world_toy(&toys[1], 1, 5, "other");
    for (uint32_t i = 0; i < ROUTER_REQUESTS; i++)
        post(4 + i % 2, i, 'A', ROUTER_LOW);
    world_ask(&asks[ROUTER_REQUESTS], 'B');
    must(world_post(4, &asks[ROUTER_REQUESTS], ROUTER_CRITICAL), RESOURCE_EXHAUSTED);
    must(world_send(5, &asks[ROUTER_REQUESTS]), RESOURCE_EXHAUSTED);
    cr_assert(not(router_is_busy(&asks[ROUTER_REQUESTS].m)));
    cr_assert(eq(u32, world_messages(1), 1));
    world_settle();
    for (uint32_t i = 0; i < ROUTER_REQUESTS; i++)
        must_be_told(&asks[i], OK);
    cr_assert(eq(u32, asks[ROUTER_REQUESTS].told, 0));
    cr_assert(eq(u32, toys[0].calls + toys[1].calls, ROUTER_REQUESTS));
}

/* It was accepted, so that is an outcome. */
Test(router_remote, the_sixty_fifth_is_told)
{
    world_toy(&toys[0], 1, 4, "clock");
    toys[0].serve = later;
    for (uint32_t i = 0; i < ROUTER_MAILBOX + 3; i++) {
        post(4, i, 'A', ROUTER_LOW);
        world_settle();
    }
    for (uint32_t i = 0; i < ROUTER_MAILBOX + 1; i++) /* one is put off, the others wait */
        cr_assert(eq(u32, asks[i].told, 0));
    must_be_told(&asks[ROUTER_MAILBOX + 1], RESOURCE_EXHAUSTED);
    must_be_told(&asks[ROUTER_MAILBOX + 2], RESOURCE_EXHAUSTED);
    cr_assert(world_is_valid());
}

Test(router_remote, an_answer_may_come_later)
{
    world_toy(&toys[0], 1, 4, "clock");
    toys[0].serve = later;
    post(4, 0, 'A', ROUTER_LOW);
    world_settle();
    world_enter(2);
    post(4, 1, 'B', ROUTER_HIGH);
    world_settle();
    cr_assert(eq(str, world_trace, "A"));
    toys[0].serve = NULL;
    world_enter(1);
    router_answer(&toys[0].module, STATUS_ABORTED);
    world_settle();
    must_be_told(&asks[0], ABORTED);
    must_be_told(&asks[1], OK);
}

/* In the order in which they were made, eight in a step. */
Test(router_remote, answers_come_in_order_and_in_steps)
{
    world_toy(&toys[0], 1, 4, "clock");
    for (uint32_t i = 0; i < 20; i++)
        post(4, i, (char)('A' + (int)i), ROUTER_LOW);
    world_enter(1);
    while (world_step())
        ;
    world_enter(0);
    for (uint32_t step = 1; world_step(); step++)
        cr_assert(eq(sz, strlen(world_trace), step < 3 ? 20 + 8 * step : 40));
    cr_assert(eq(str, world_trace, "ABCDEFGHIJKLMNOPQRSTabcdefghijklmnopqrst"));
}
