/* SPDX-License-Identifier: MIT
 * Mailboxes on one CPU: order, room, steps, deadlines, answers that come later, modules that go. */
#include "tests/unit/ipc/router_world.h"

static struct toy toys[4];
static struct ask asks[ROUTER_MAILBOX + 4];

TestSuite(router_mailbox, .init = world_begin);

static void post(uint32_t id, uint32_t i, char type, enum router_priority priority)
{
    world_ask(&asks[i], type);
    must(world_post(id, &asks[i], priority), OK);
}

/* Edge case 12. */
Test(router_mailbox, the_most_urgent_and_oldest_comes_first)
{
    world_toy(&toys[0], 0, 1, "clock");
    post(1, 0, 'L', ROUTER_LOW);
    post(1, 1, 'M', ROUTER_NORMAL);
    post(1, 2, 'N', ROUTER_NORMAL);
    post(1, 3, 'H', ROUTER_HIGH);
    post(1, 4, 'C', ROUTER_CRITICAL);
    cr_assert(eq(u32, toys[0].calls, 0));
    cr_assert(eq(u32, world_messages(0), 1));
    world_settle();
    cr_assert(eq(str, world_trace, "CHMNLchmnl"));
    for (uint32_t i = 0; i < 5; i++)
        must_be_told(&asks[i], OK);
    post(1, 0, 'B', ROUTER_LOW); /* each list was emptied as it should */
    post(1, 1, 'A', ROUTER_NORMAL);
    world_settle();
    cr_assert(eq(str, world_trace, "CHMNLchmnlABab"));
}

Test(router_mailbox, the_sixty_fifth_is_refused)
{
    struct router_counts c;
    world_toy(&toys[0], 0, 1, "clock");
    world_toy(&toys[1], 0, 2, "other");
    for (uint32_t i = 0; i < ROUTER_MAILBOX; i++)
        post(1, i, 'A', i % ROUTER_PRIORITIES);
    for (uint32_t i = 0; i < ROUTER_PRIORITIES; i++) {
        world_ask(&asks[ROUTER_MAILBOX], 'X');
        must(world_post(1, &asks[ROUTER_MAILBOX], i), RESOURCE_EXHAUSTED);
        cr_assert(not(router_is_busy(&asks[ROUTER_MAILBOX].m)));
    }
    must(world_send(1, &asks[ROUTER_MAILBOX]), OK); /* passes them by */
    post(2, ROUTER_MAILBOX + 1, 'B', ROUTER_LOW);
    must(router_counts_of(1, &c), OK);
    cr_assert(eq(u64, c.refused, ROUTER_PRIORITIES));
    cr_assert(eq(u64, c.waiting_most, ROUTER_MAILBOX));
    cr_assert(world_is_valid());
    world_settle();
    for (uint32_t i = 0; i < ROUTER_MAILBOX; i++)
        must_be_told(&asks[i], OK);
    cr_assert(eq(u32, asks[ROUTER_MAILBOX].told, 0));
    must_be_told(&asks[ROUTER_MAILBOX + 1], OK);
    cr_assert(eq(u32, toys[0].calls, ROUTER_MAILBOX + 1));
    must(router_counts_of(1, &c), OK);
    cr_assert(eq(u64, c.received, ROUTER_MAILBOX + 1));
}

Test(router_mailbox, a_post_needs_a_priority_and_somebody_to_tell)
{
    world_toy(&toys[0], 0, 1, "clock");
    world_ask(&asks[0], 'A');
    must(world_post(1, &asks[0], ROUTER_PRIORITIES), INVALID_ARGUMENT);
    asks[0].m.done = NULL;
    must(world_post(1, &asks[0], ROUTER_LOW), INVALID_ARGUMENT);
    cr_assert(not(router_is_busy(&asks[0].m)));
}

/* 20 for one and 3 for another: they take turns, eight in a step, and other messages come between. */
Test(router_mailbox, is_served_in_steps)
{
    world_toy(&toys[0], 0, 1, "clock");
    world_toy(&toys[1], 0, 2, "other");
    for (uint32_t i = 0; i < 20; i++)
        post(1, i, 'A', ROUTER_NORMAL);
    for (uint32_t i = 20; i < 23; i++)
        post(2, i, 'B', ROUTER_NORMAL);
    for (uint32_t step = 1; step <= 3; step++) {
        cr_assert(eq(u32, world_messages(0), 1));
        cr_assert(world_step());
        cr_assert(eq(u32, toys[0].calls + toys[1].calls, step < 3 ? 8 * step : 23));
        cr_assert(world_is_valid());
    }
    cr_assert(not(world_step()));
    cr_assert(eq(str, world_trace, "ABABABAAabababaaAAAAAAAAaaaaaaaaAAAAAAAaaaaaaa"));
}

static void post_again(struct ask *a)
{
    if (a->told < 3)
        must(world_post(1, a, ROUTER_LOW), OK);
}

Test(router_mailbox, done_is_never_called_inside_a_post_and_may_post_again)
{
    world_toy(&toys[0], 0, 1, "clock");
    world_ask(&asks[0], 'A');
    asks[0].then = post_again;
    must(world_post(1, &asks[0], ROUTER_LOW), OK);
    post(1, 1, 'B', ROUTER_LOW);
    cr_assert(eq(u32, asks[0].told, 0));
    world_settle();
    cr_assert(eq(u32, asks[0].told, 3));
    must_be_told(&asks[1], OK);
    cr_assert(eq(str, world_trace, "ABabAaAa"));
}

Test(router_mailbox, what_has_not_begun_by_its_deadline)
{
    struct router_counts c;
    world_toy(&toys[0], 0, 1, "clock");
    for (uint32_t i = 0; i < 3; i++) {
        world_ask(&asks[i], (char)('A' + (int)i));
        asks[i].m.deadline_ns = world_now + 10 + i;
        must(world_post(1, &asks[i], ROUTER_LOW), OK);
    }
    world_now += 11;
    world_settle();
    must_be_told(&asks[0], DEADLINE_EXCEEDED);
    must_be_told(&asks[1], DEADLINE_EXCEEDED);
    must_be_told(&asks[2], OK);
    cr_assert(eq(str, world_trace, "Cabc"));
    must(router_counts_of(1, &c), OK);
    cr_assert(eq(u64, c.expired, 2));
    cr_assert(eq(u64, c.received, 1));
    cr_assert(eq(u64, c.outcomes[STATUS_DEADLINE_EXCEEDED], 2));
}

static enum status later(struct toy *t, struct router_message *m)
{
    t->data++;
    cr_assert(m->posted);
    router_write(m, "begun");
    return ROUTER_LATER;
}

Test(router_mailbox, an_answer_may_come_later)
{
    struct router_counts c;
    world_toy(&toys[0], 0, 1, "clock");
    toys[0].serve = later;
    post(1, 0, 'A', ROUTER_LOW);
    post(1, 1, 'B', ROUTER_CRITICAL);
    post(1, 2, 'C', ROUTER_LOW);
    world_settle();
    cr_assert(eq(str, world_trace, "B"), "the mailbox waits");
    cr_assert(world_is_valid());
    toys[0].serve = NULL;
    world_ask(&asks[3], 'S');
    must(world_send(1, &asks[3]), OK); /* that is not of the mailbox */
    world_now += 70;
    router_answer(&toys[0].module, STATUS_ABORTED);
    cr_assert(eq(u32, asks[1].told, 0), "not inside router_answer");
    router_answer(&toys[0].module, STATUS_OK); /* of nothing */
    world_settle();
    must_be_told(&asks[0], OK);
    must_be_told(&asks[1], ABORTED);
    must_be_told(&asks[2], OK);
    cr_assert(eq(str, asks[1].answer, "begun"));
    cr_assert(eq(str, world_trace, "BSACbac"));
    must(router_counts_of(1, &c), OK);
    cr_assert(eq(u64, c.received, 4));
    cr_assert(eq(u64, c.ticks_most, 70));
}

static enum status answer_and_say(struct toy *t, struct router_message *m)
{
    (void)m;
    router_answer(&t->module, STATUS_ABORTED);
    return (enum status)t->data;
}

/* Whatever the handler returns then. */
Test(router_mailbox, an_answer_may_come_inside_the_handler)
{
    world_toy(&toys[0], 0, 1, "clock");
    toys[0].serve = answer_and_say;
    toys[0].data = ROUTER_LATER;
    post(1, 0, 'A', ROUTER_LOW);
    world_settle();
    toys[0].data = STATUS_OK;
    post(1, 1, 'B', ROUTER_LOW);
    world_settle();
    must_be_told(&asks[0], ABORTED);
    must_be_told(&asks[1], ABORTED);
}

Test(router_mailbox, nonsense_later_is_an_internal_error)
{
    world_toy(&toys[0], 0, 1, "clock");
    toys[0].serve = later;
    post(1, 0, 'A', ROUTER_LOW);
    world_settle();
    router_answer(&toys[0].module, ROUTER_LATER);
    world_settle();
    must_be_told(&asks[0], INTERNAL);
}

/* Edge case 13: what waits, and what was put off, is answered when the module goes, but not inside router_unregister.
 */
Test(router_mailbox, what_waits_when_the_module_goes)
{
    world_toy(&toys[0], 0, 1, "clock");
    world_toy(&toys[1], 0, 2, "other");
    toys[0].serve = later;
    for (uint32_t i = 0; i < 6; i++)
        post(1, i, (char)('A' + (int)i), i % ROUTER_PRIORITIES);
    post(2, 6, 'O', ROUTER_LOW);
    world_settle();
    cr_assert(eq(str, world_trace, "DOo"));
    must(router_unregister(&toys[0].module), OK);
    cr_assert(eq(str, world_trace, "DOo"));
    cr_assert(world_is_valid());
    router_answer(&toys[0].module, STATUS_OK); /* too late */
    world_settle();
    for (uint32_t i = 0; i < 6; i++)
        must_be_told(&asks[i], UNAVAILABLE);
    cr_assert(eq(str, world_trace, "DOodcbfae"));
    world_toy(&toys[0], 0, 1, "clock");
    toys[0].serve = NULL;
    post(1, 0, 'A', ROUTER_LOW);
    world_settle();
    must_be_told(&asks[0], OK);
}

/* Goes inside its own handler; `data`: what it says then. */
static enum status go(struct toy *t, struct router_message *m)
{
    router_write(m, "bye");
    must(router_unregister(&t->module), OK);
    return (enum status)t->data;
}

Test(router_mailbox, a_handler_may_end_its_own_module)
{
    for (uint32_t i = 0; i < 2; i++) {
        world_toy(&toys[i], 0, 1, "clock");
        toys[i].serve = go;
        toys[i].data = i ? ROUTER_LATER : STATUS_ABORTED;
        post(1, 2 * i, 'A', ROUTER_HIGH);
        post(1, 2 * i + 1, 'B', ROUTER_LOW);
        world_settle();
        cr_assert(world_is_valid());
    }
    must_be_told(&asks[0], ABORTED);
    cr_assert(eq(str, asks[0].answer, "bye"));
    must_be_told(&asks[1], UNAVAILABLE);
    must_be_told(&asks[2], UNAVAILABLE); /* nobody can answer it later */
    must_be_told(&asks[3], UNAVAILABLE);
    cr_assert(eq(str, world_trace, "AbaAba"));
}

static enum status come_back(struct toy *t, struct router_message *m)
{
    must(router_unregister(&t->module), OK);
    if (m->type[0] == 'A')
        world_toy(t, 0, 1, "clock");
    else
        world_toy(&toys[1], 0, 1, "clock");
    post(1, 3, 'P', ROUTER_LOW);
    return ROUTER_LATER;
}

/* The same storage again: what was in hand is put off as usual. */
Test(router_mailbox, a_handler_may_register_its_module_again)
{
    world_toy(&toys[0], 0, 1, "clock");
    toys[0].serve = come_back;
    post(1, 0, 'A', ROUTER_HIGH);
    post(1, 1, 'B', ROUTER_LOW);
    world_settle();
    cr_assert(world_is_valid());
    must_be_told(&asks[1], UNAVAILABLE);
    cr_assert(eq(u32, asks[0].told + asks[3].told, 0));
    toys[0].serve = NULL;
    router_answer(&toys[0].module, STATUS_OK);
    world_settle();
    must_be_told(&asks[0], OK);
    must_be_told(&asks[3], OK);
}

/* Another one has the id, and its mailbox is its own. */
Test(router_mailbox, a_handler_may_put_another_in_its_place)
{
    world_toy(&toys[0], 0, 1, "clock");
    toys[0].serve = come_back;
    post(1, 0, 'B', ROUTER_HIGH);
    world_settle();
    cr_assert(world_is_valid());
    must_be_told(&asks[0], UNAVAILABLE);
    must_be_told(&asks[3], OK);
    cr_assert(eq(u32, toys[1].calls, 1));
}

static enum status end_another(struct toy *t, struct router_message *m)
{
    (void)m;
    must(router_unregister(&toys[1].module), OK);
    t->serve = NULL;
    return STATUS_OK;
}

/* In one step, when the other's turn is next. */
Test(router_mailbox, a_handler_may_end_the_next_module)
{
    world_toy(&toys[0], 0, 1, "clock");
    world_toy(&toys[1], 0, 2, "other");
    toys[0].serve = end_another;
    post(1, 0, 'A', ROUTER_LOW);
    post(2, 1, 'B', ROUTER_LOW);
    post(1, 2, 'C', ROUTER_LOW);
    world_settle();
    must_be_told(&asks[0], OK);
    must_be_told(&asks[1], UNAVAILABLE);
    must_be_told(&asks[2], OK);
    cr_assert(eq(u32, toys[1].calls, 0));
}

static enum status post_and_send(struct toy *t, struct router_message *m)
{
    (void)m;
    t->serve = NULL;
    post(1, 2, 'P', ROUTER_CRITICAL);
    world_ask(&asks[3], 'S');
    must(world_send(1, &asks[3]), OK);
    must(world_send(2, &asks[3]), OK);
    return STATUS_OK;
}

Test(router_mailbox, a_handler_may_post_and_send)
{
    world_toy(&toys[0], 0, 1, "clock");
    world_toy(&toys[1], 0, 2, "other");
    toys[0].serve = post_and_send;
    post(1, 0, 'A', ROUTER_LOW);
    post(1, 1, 'B', ROUTER_LOW);
    world_settle();
    cr_assert(eq(str, world_trace, "ASSPBapb"));
}

static void end_the_module(struct ask *a)
{
    (void)a;
    must(router_unregister(&toys[0].module), OK);
    world_ask(&asks[4], 'S');
    must(world_send(2, &asks[4]), OK);
    must(world_send(1, &asks[4]), NOT_FOUND);
}

Test(router_mailbox, done_may_use_the_router)
{
    world_toy(&toys[0], 0, 1, "clock");
    world_toy(&toys[1], 0, 2, "other");
    for (uint32_t i = 0; i < 4; i++)
        post(1, i, 'A', ROUTER_LOW);
    asks[1].then = end_the_module;
    world_settle();
    for (uint32_t i = 0; i < 4; i++)
        must_be_told(&asks[i], OK);
    cr_assert(eq(str, world_trace, "AAAAaaSaa"));
}
