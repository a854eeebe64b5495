/* SPDX-License-Identifier: MIT
 * The router on one CPU: who may register, what a request is told, handlers that use the router, broadcasts. */
#include "tests/unit/ipc/router_world.h"

static struct toy toys[12];
static struct ask asks[12];

TestSuite(router, .init = world_begin);

Test(router, an_id_is_looked_at_before_a_name)
{
    world_toy(&toys[0], 0, 5, "clock");
    must(world_register(&toys[1], 0, 5, "clock"), ALREADY_EXISTS);
    must(world_register(&toys[1], 0, 5, "memory"), ALREADY_EXISTS);
    must(world_register(&toys[1], 1, 5, "memory"), ALREADY_EXISTS);
    must(world_register(&toys[1], 0, 6, "clock"), FAILED_PRECONDITION);
    must(world_register(&toys[1], 1, 6, "clock"), FAILED_PRECONDITION);
    world_toy(&toys[2], 1, 6, "memory"); /* the id that was refused its name is free */
    must(world_register(&toys[0], 0, 5, "clock"), ALREADY_EXISTS);
    cr_assert(world_is_valid());
}

Test(router, what_is_no_module_is_refused)
{
    must(world_register(&toys[0], 0, ROUTER_MODULES_MAX, "clock"), INVALID_ARGUMENT);
    must(world_register(&toys[0], 0, 1, NULL), INVALID_ARGUMENT);
    must(world_register(&toys[0], 0, 1, ""), INVALID_ARGUMENT);
    must(world_register(&toys[0], 0, 1, "two words"), INVALID_ARGUMENT);
    toys[0].module = (struct router_module){.name = "clock", .id = 1};
    must(router_register(&toys[0].module), INVALID_ARGUMENT);
    world_toy(&toys[0], 0, 1, "clock");
    cr_assert(world_is_valid());
}

Test(router, names_run_out)
{
    static char names[NAME_MAX + 1][4];
    for (uint32_t i = 0; i < NAME_MAX; i++) {
        uint32_t number;
        names[i][0] = (char)('A' + i / 26), names[i][1] = (char)('a' + i % 26);
        must(name_intern(names[i], 2, &number), OK);
    }
    must(world_register(&toys[0], 0, 1, "clock"), RESOURCE_EXHAUSTED);
    world_toy(&toys[0], 0, 1, names[7]);
}

Test(router, names_and_ids_are_found_on_every_cpu)
{
    uint32_t id = 77;
    world_toy(&toys[0], 1, 0, "clock");
    world_toy(&toys[1], 2, 63, "memory");
    for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
        world_enter(cpu);
        must(router_lookup("clock", 5, &id), OK);
        cr_assert(eq(u32, id, 0));
        must(router_lookup("memory ", 6, &id), OK);
        cr_assert(eq(u32, id, 63));
        must(router_lookup("cloc", 4, &id), NOT_FOUND);
        must(router_lookup("", 0, &id), NOT_FOUND);
        cr_assert(eq(u32, id, 63));
        cr_assert(eq(str, (char *)(uintptr_t)router_module_name(63), "memory"));
        cr_assert(eq(ptr, (void *)(uintptr_t)router_module_name(1), NULL));
        cr_assert(eq(ptr, (void *)(uintptr_t)router_module_name(64), NULL));
    }
}

Test(router, a_module_goes_once_and_only_from_its_cpu)
{
    uint32_t id;
    struct router_counts c;
    world_toy(&toys[0], 0, 3, "clock");
    world_enter(1);
    must(router_unregister(&toys[0].module), NOT_FOUND);
    world_enter(0);
    must(router_unregister(&toys[0].module), OK);
    must(router_unregister(&toys[0].module), NOT_FOUND);
    must(router_lookup("clock", 5, &id), NOT_FOUND);
    must(router_counts_of(3, &c), NOT_FOUND);
    cr_assert(eq(ptr, (void *)(uintptr_t)router_module_name(3), NULL));
    world_toy(&toys[1], 1, 3, "clock");
    must(router_unregister(&toys[0].module), NOT_FOUND);
    cr_assert(world_is_valid());
}

/* Edge case 14. */
Test(router, four_errors_differ)
{
    world_toy(&toys[0], 0, 1, "clock");
    must(world_register(&toys[1], 0, 1, "other"), ALREADY_EXISTS);
    must(world_register(&toys[1], 0, 2, "clock"), FAILED_PRECONDITION);
    world_ask(&asks[0], 'A');
    must(world_send(2, &asks[0]), NOT_FOUND);
    must(world_send(ROUTER_MODULES_MAX, &asks[0]), NOT_FOUND);
    must(world_post(2, &asks[0], ROUTER_NORMAL), NOT_FOUND);
    must(world_post(ROUTER_MODULES_MAX, &asks[0], ROUTER_NORMAL), NOT_FOUND);
    must(world_send(ROUTER_BROADCAST, &asks[0]), INVALID_ARGUMENT);
    must(world_post(ROUTER_BROADCAST, &asks[0], ROUTER_NORMAL), INVALID_ARGUMENT);
    cr_assert(not(router_is_busy(&asks[0].m)));
    world_settle();
    cr_assert(eq(u32, asks[0].told, 0));
    cr_assert(eq(u32, toys[0].calls, 0));
}

static enum status write_what_is_known(struct toy *t, struct router_message *m)
{
    (void)t;
    cr_assert(router_is_busy(m) && !m->posted && m->answer_bytes == 0);
    router_write(m, "%s %.*s from %u.%u", m->type, (int)m->payload_bytes, m->payload, m->from.origin, m->from.number);
    router_write(m, ", to %u on %u", m->module, router_sender_cpu(m));
    return STATUS_DATA_LOSS;
}

Test(router, a_send_gives_the_handlers_outcome_and_text)
{
    world_toy(&toys[0], 0, 9, "clock");
    toys[0].serve = write_what_is_known;
    for (uint64_t i = 0; i < 2; i++) {
        world_ask(&asks[i], 'A');
        strcpy(asks[i].m.type, "get_time");
        asks[i].m.payload = "utc and more", asks[i].m.payload_bytes = 3;
        asks[i].m.from = (struct router_from){FROM_KERNEL, 0}; /* nobody says that of himself */
        must(world_send(9, &asks[i]), DATA_LOSS);
        cr_assert(eq(str, asks[i].answer, "get_time utc from 2.7, to 9 on 0"));
        cr_assert(eq(sz, asks[i].m.answer_bytes, strlen(asks[i].answer)));
        cr_assert(not(asks[i].m.answer_cut || router_is_busy(&asks[i].m)));
        cr_assert(eq(u64, asks[i].m.id, 1 + i * ROUTER_ID_STEP));
        cr_assert(eq(u64, router_messages_sent(), i + 1));
    }
    cr_assert(eq(u32, asks[0].told, 0), "`done` is for posts");
}

static enum status write_12345(struct toy *t, struct router_message *m)
{
    (void)t;
    router_write(m, "%s", "123");
    router_write(m, "%s", "");
    router_write(m, "%u", 45);
    return STATUS_OK;
}

Test(router, an_answer_is_cut_to_its_room)
{
    world_toy(&toys[0], 0, 1, "clock");
    toys[0].serve = write_12345;
    for (size_t room = 0; room < 8; room++) {
        char expected[8] = "12345";
        if (room < 6)
            expected[room ? room - 1 : 0] = '\0';
        world_ask(&asks[0], 'A');
        memset(asks[0].answer, '#', sizeof(asks[0].answer));
        asks[0].m.room = room;
        asks[0].m.answer = room ? asks[0].answer : NULL;
        must(world_send(1, &asks[0]), OK);
        cr_assert(eq(int, asks[0].m.answer_cut, room < 6));
        cr_assert(eq(sz, asks[0].m.answer_bytes, strlen(expected)));
        cr_assert(eq(int, memcmp(asks[0].answer, expected, room < 6 ? room : 6), 0));
        cr_assert(eq(chr, asks[0].answer[room], '#'), "beyond the room");
    }
    asks[0].m.answer_cut = true; /* as from before */
    must(world_send(1, &asks[0]), OK);
    cr_assert(not(asks[0].m.answer_cut));
}

Test(router, a_type_has_a_nul)
{
    world_toy(&toys[0], 0, 1, "clock");
    world_ask(&asks[0], 'A');
    memset(asks[0].m.type, 'A', ROUTER_TYPE_BYTES);
    must(world_send(1, &asks[0]), INVALID_ARGUMENT);
    must(world_post(1, &asks[0], ROUTER_LOW), INVALID_ARGUMENT);
    cr_assert(eq(u32, router_broadcast(&asks[0].m, (struct router_from){0}, NULL, NULL), 0));
    asks[0].m.type[3] = '\0'; /* what comes behind it may be anything */
    must(world_send(1, &asks[0]), OK);
    asks[0].m.type[3] = 'A', asks[0].m.type[ROUTER_TYPE_BYTES - 1] = '\0';
    must(world_send(1, &asks[0]), OK);
}

static enum status again_with_the_same(struct toy *t, struct router_message *m)
{
    (void)t;
    must(router_send(1, m, m->from), FAILED_PRECONDITION);
    must(router_post(1, m, m->from), FAILED_PRECONDITION);
    cr_assert(eq(u32, router_broadcast(m, m->from, NULL, NULL), 0));
    return STATUS_OK;
}

Test(router, a_busy_message_is_refused)
{
    world_toy(&toys[0], 0, 1, "clock");
    toys[0].serve = again_with_the_same;
    world_ask(&asks[0], 'A');
    must(world_send(1, &asks[0]), OK);
    must(world_post(1, &asks[0], ROUTER_LOW), OK);
    must(world_send(1, &asks[0]), FAILED_PRECONDITION);
    world_settle();
    must_be_told(&asks[0], OK);
    must(world_send(1, &asks[0]), OK);
    cr_assert(eq(u32, toys[0].calls, 3));
}

static enum status later_or_nonsense(struct toy *t, struct router_message *m)
{
    (void)m;
    return (enum status)t->data;
}

Test(router, a_send_cannot_wait_for_later)
{
    world_toy(&toys[0], 0, 1, "clock");
    toys[0].serve = later_or_nonsense;
    toys[0].data = ROUTER_LATER;
    world_ask(&asks[0], 'A');
    must(world_send(1, &asks[0]), UNIMPLEMENTED);
    router_answer(&toys[0].module, STATUS_OK); /* of nothing */
    toys[0].data = STATUS_COUNT;
    must(world_send(1, &asks[0]), INTERNAL);
    must(world_post(1, &asks[0], ROUTER_LOW), OK);
    world_settle();
    must_be_told(&asks[0], INTERNAL);
}

static enum status go_deeper(struct toy *t, struct router_message *m)
{
    (void)m;
    struct ask *a = &asks[t->calls];
    world_ask(a, 'B');
    a->outcome = world_send(1, a);
    return STATUS_OK;
}

Test(router, handlers_nest_so_deep)
{
    world_toy(&toys[0], 0, 1, "clock");
    toys[0].serve = go_deeper;
    world_ask(&asks[0], 'A');
    must(world_send(1, &asks[0]), OK);
    cr_assert(eq(u32, toys[0].calls, ROUTER_NESTING_MAX));
    must(asks[ROUTER_NESTING_MAX].outcome, RESOURCE_EXHAUSTED);
    must(asks[ROUTER_NESTING_MAX - 1].outcome, OK);
    toys[0].calls = 0;
    must(world_post(1, &asks[0], ROUTER_NORMAL), OK); /* a mailbox's handler counts too */
    world_settle();
    cr_assert(eq(u32, toys[0].calls, ROUTER_NESTING_MAX));
    must(asks[ROUTER_NESTING_MAX].outcome, RESOURCE_EXHAUSTED);
}

/* Edge case 13: to another, to itself, registers, goes, comes back. */
static enum status use_the_router(struct toy *t, struct router_message *m)
{
    static struct ask inner;
    (void)m;
    t->serve = NULL;
    world_ask(&inner, 'C');
    must(world_send(2, &inner), OK);
    must(world_send(1, &inner), OK);
    world_toy(&toys[2], 0, 3, "third");
    must(world_send(3, &inner), OK);
    must(router_unregister(&toys[1].module), OK);
    must(world_send(2, &inner), NOT_FOUND);
    must(router_unregister(&t->module), OK);
    must(world_send(1, &inner), NOT_FOUND);
    world_toy(&toys[3], 0, 1, "first");
    must(world_send(1, &inner), OK);
    return STATUS_ABORTED;
}

Test(router, a_handler_may_use_the_router)
{
    world_toy(&toys[0], 0, 1, "first");
    world_toy(&toys[1], 0, 2, "second");
    toys[0].serve = use_the_router;
    world_ask(&asks[0], 'A');
    must(world_send(1, &asks[0]), ABORTED);
    cr_assert(eq(u32, toys[0].calls, 2));
    cr_assert(eq(u32, toys[1].calls, 1));
    cr_assert(eq(u32, toys[2].calls, 1));
    cr_assert(eq(u32, toys[3].calls, 1));
    struct router_counts c;
    must(router_counts_of(1, &c), OK);
    cr_assert(eq(u64, c.received, 1), "of the module that has it now");
    cr_assert(eq(u64, c.outcomes[STATUS_ABORTED], 0));
    cr_assert(world_is_valid());
}

static enum status take_time(struct toy *t, struct router_message *m)
{
    (void)m;
    world_now += t->data;
    return t->data == 30 ? STATUS_ABORTED : STATUS_OK;
}

Test(router, counts_say_what_became_of_requests)
{
    struct router_counts c;
    world_toy(&toys[0], 0, 1, "clock");
    toys[0].serve = take_time;
    for (toys[0].data = 50; toys[0].data > 0; toys[0].data -= 10) {
        world_ask(&asks[0], 'A');
        (void)world_send(1, &asks[0]);
    }
    must(router_counts_of(1, &c), OK);
    cr_assert(eq(u64, c.received, 5));
    cr_assert(eq(u64, c.outcomes[STATUS_OK], 4));
    cr_assert(eq(u64, c.outcomes[STATUS_ABORTED], 1));
    cr_assert(eq(u64, c.ticks, 150));
    cr_assert(eq(u64, c.ticks_most, 50));
    must(router_unregister(&toys[0].module), OK);
    world_toy(&toys[0], 0, 1, "clock");
    must(router_counts_of(1, &c), OK);
    cr_assert(eq(u64, c.received, 0), "they begin anew");
}

Test(router, a_deadline_that_has_passed)
{
    world_toy(&toys[0], 0, 1, "clock");
    world_ask(&asks[0], 'A');
    asks[0].m.deadline_ns = world_now + 1;
    must(world_send(1, &asks[0]), OK);
    world_now++;
    must(world_send(1, &asks[0]), DEADLINE_EXCEEDED);
    must(world_post(1, &asks[0], ROUTER_LOW), DEADLINE_EXCEEDED);
    must(world_send(2, &asks[0]), NOT_FOUND);
    cr_assert(not(router_is_busy(&asks[0].m)));
    world_settle();
    cr_assert(eq(u32, asks[0].told, 0));
    cr_assert(eq(u32, toys[0].calls, 1));
}

static char heard[64];

static void hear(void *context, uint32_t id, enum status outcome, const struct router_message *m)
{
    char *end = heard + strlen(heard);
    cr_assert(eq(ptr, context, heard));
    snprintf(end, sizeof(heard) - (size_t)(end - heard), "%u:%d:%.*s ", id, (int)outcome, (int)m->answer_bytes,
             m->answer);
}

static enum status say_id(struct toy *t, struct router_message *m)
{
    (void)m;
    if (t->data)
        router_write(m, "%c", (int)t->data);
    return t->data == 'x' ? STATUS_UNIMPLEMENTED : STATUS_OK;
}

static enum status broadcast_from_inside(struct toy *t, struct router_message *m)
{
    (void)m;
    t->serve = say_id;
    world_ask(&asks[1], 'B');
    t->data = 'S';
    cr_assert(eq(u32, router_broadcast(&asks[1].m, (struct router_from){FROM_MODULE, 5}, hear, heard), 4));
    return STATUS_OK;
}

/* The sender's own module and answers of every kind; a message once, for the router. */
Test(router, a_broadcast_asks_all_in_order)
{
    world_toy(&toys[0], 0, 40, "d");
    world_toy(&toys[1], 0, 5, "b");
    world_toy(&toys[2], 1, 7, "c");
    world_toy(&toys[3], 0, 0, "a");
    for (int i = 0; i < 4; i++)
        toys[i].serve = say_id;
    toys[0].data = 'D', toys[2].data = 'x';
    toys[1].serve = broadcast_from_inside;
    world_ask(&asks[0], 'A');
    must(world_send(5, &asks[0]), OK);
    cr_assert(eq(str, heard, "0:0: 5:0:S 7:12:x 40:0:D "));
    cr_assert(eq(u64, router_messages_sent(), 2));
    cr_assert(eq(u64, asks[1].m.id, 1 + ROUTER_ID_STEP));
    cr_assert(not(router_is_busy(&asks[1].m)));
}

static enum status change_the_others(struct toy *t, struct router_message *m)
{
    (void)t, (void)m;
    must(router_unregister(&toys[1].module), OK);
    must(router_unregister(&toys[0].module), OK);
    world_toy(&toys[3], 0, 9, "new");
    return STATUS_OK;
}

Test(router, a_broadcast_meets_whoever_is_there)
{
    world_toy(&toys[0], 0, 1, "a");
    world_toy(&toys[1], 0, 3, "c");
    world_toy(&toys[2], 0, 2, "b");
    toys[2].serve = change_the_others;
    world_ask(&asks[0], 'A');
    cr_assert(eq(u32, router_broadcast(&asks[0].m, (struct router_from){0}, hear, heard), 3));
    cr_assert(eq(str, heard, "1:0: 2:0: 9:0: "));
}

static enum status dawdle(struct toy *t, struct router_message *m)
{
    (void)m;
    world_now += t->data;
    return STATUS_OK;
}

Test(router, a_broadcast_has_one_deadline)
{
    for (uint32_t i = 0; i < 4; i++) {
        world_toy(&toys[i], 0, i, (const char *const[]){"a", "b", "c", "d"}[i]);
        toys[i].serve = dawdle;
        toys[i].data = 10;
    }
    world_ask(&asks[0], 'A');
    asks[0].m.deadline_ns = world_now + 15;
    cr_assert(eq(u32, router_broadcast(&asks[0].m, (struct router_from){0}, hear, heard), 4));
    cr_assert(eq(str, heard, "0:0: 1:0: 2:4: 3:4: "));
    cr_assert(eq(u32, toys[2].calls + toys[3].calls, 0));
}
