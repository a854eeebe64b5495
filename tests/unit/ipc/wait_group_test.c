/* SPDX-License-Identifier: MIT
 * Wait groups: members and user data, waking, who comes first, requests that are taken out and answered later. The
 * server's group; its two threads wait, its ten lines and its ends of channels are members. */
#include "tests/unit/ipc/endpoint_steps.h"

enum { P = 7, A = SIGNAL_INTERRUPT_A, ROUNDS = 1000 };

static struct wait_group *const group = &world.groups[SERVER_PROCESS];
static struct endpoint *const initiator = &world.initiators[0], *const handler = &world.handlers[0];

static void start_on(uint8_t client_cpu, uint8_t other_cpu)
{
    world_create_on((const uint8_t[THREADS]){P, P, P, P, P, WORLD_ABSENT, WORLD_ABSENT},
                    (const uint8_t[PROCESSES]){[CLIENT_PROCESS] = client_cpu, [OTHER_PROCESS] = other_cpu});
    step_fill();
}

static void on(int thread)
{
    world_on(world.threads[thread].process->cpu);
    step_until(thread);
}

/* The server runs. */
static void start(void)
{
    start_on(0, 0);
    on(SERVER);
}

/* All lines are members; user data of line i: 100 + i. */
static void start_lines(void)
{
    start();
    for (int i = 0; i < LINES; i++) {
        step_add(group, &world.lines[i], A, 100 + (uint64_t)i);
        must(world_got(SERVER, STATUS_OK, 0));
    }
}

static bool is_waiting(int thread)
{
    return world.threads[thread].wait_object == &group->object &&
           thread_state_waits(world.threads[thread].waiter.state);
}

static void on_call(int thread, uint64_t n, uint64_t deadline_ns)
{
    on(thread);
    step_transact(0, n, 50, deadline_ns);
    world_deliver();
}

Test(wait_group, add_and_remove_refuse)
{
    start();
    step_add(group, &handler->object, 0, 1);
    must(world_got(SERVER, STATUS_INVALID_ARGUMENT, 0));
    for (uint32_t bit = 0; bit < 32; bit++) {
        step_add(group, &handler->object, SIGNAL_READABLE | 1u << bit, 1);
        must(world_got(SERVER, SIGNAL_VALID >> bit & 1 ? STATUS_OK : STATUS_INVALID_ARGUMENT, 0));
        if (SIGNAL_VALID >> bit & 1)
            step_remove(group, &handler->object);
    }
    step_add(group, &group->object, SIGNAL_READABLE, 1);
    must(world_got(SERVER, STATUS_INVALID_ARGUMENT, 0));
    step_add(group, &world.groups[CLIENT_PROCESS].object, SIGNAL_READABLE, 1);
    must(world_got(SERVER, STATUS_INVALID_ARGUMENT, 0));
    world.lines[0].waitable = 0; /* as a histogram */
    step_add(group, &world.lines[0], SIGNAL_READABLE, 1);
    must(world_got(SERVER, STATUS_UNIMPLEMENTED, 0));
    step_add(group, &handler->object, SIGNAL_READABLE, 1);
    must(world_got(SERVER, STATUS_OK, 0) && group->members == 1);
    step_add(group, &handler->object, SIGNAL_READABLE, 1);
    must(world_got(SERVER, STATUS_RESOURCE_EXHAUSTED, 0));
    struct wait_group second = {.object = group->object};
    step_add(&second, &handler->object, SIGNAL_READABLE, 1);
    must(world_got(SERVER, STATUS_RESOURCE_EXHAUSTED, 0) && !second.members);
    step_remove(&second, &handler->object);
    must(world_got(SERVER, STATUS_NOT_FOUND, 0));
    step_remove(group, &world.lines[1]);
    must(world_got(SERVER, STATUS_NOT_FOUND, 0));
    step_remove(group, &handler->object);
    must(world_got(SERVER, STATUS_OK, 0));
    step_remove(group, &handler->object);
    must(world_got(SERVER, STATUS_NOT_FOUND, 0) && !group->members);
}

Test(wait_group, an_empty_group_is_not_waited_for)
{
    start();
    for (int i = 0; i < 2; i++) {
        step_group_wait(group, i ? TIME_NEVER : 0);
        must(world_running() == SERVER && world_got(SERVER, STATUS_INVALID_ARGUMENT, 0));
        step_group_take(group, false, 0, 100, i ? TIME_NEVER : 0);
        must(world_running() == SERVER && world_got(SERVER, STATUS_INVALID_ARGUMENT, 0));
    }
    step_wait(&group->object, 0, TIME_NEVER);
    must(world_got(SERVER, STATUS_INVALID_ARGUMENT, 0));
    step_wait(&group->object, SIGNAL_READABLE | 1u << 7, TIME_NEVER);
    must(world_got(SERVER, STATUS_INVALID_ARGUMENT, 0));
}

Test(wait_group, the_last_member_goes_under_two_waiters)
{
    start();
    step_add(group, &world.lines[0], A, 1);
    step_add(group, &world.lines[1], A, 1);
    step_group_wait(group, 5000);
    on(SERVER_2);
    step_group_take(group, false, 0, 100, 5000);
    must(is_waiting(SERVER) && is_waiting(SERVER_2));
    /* a third thread of the process, for this once */
    on(CLIENT);
    step_remove(group, &world.lines[0]);
    must(world_got(CLIENT, STATUS_OK, 0) && is_waiting(SERVER) && is_waiting(SERVER_2));
    step_remove(group, &world.lines[1]);
    must(world_got(SERVER, STATUS_INVALID_ARGUMENT, 0) && world_got(SERVER_2, STATUS_INVALID_ARGUMENT, 0));
    must(world.threads[SERVER].waiter.state == THREAD_READY && !group->object.waiters);
}

Test(wait_group, a_raise_wakes_with_all_signals_and_the_whole_user_data)
{
    start();
    step_add(group, &handler->object, SIGNAL_READABLE, 0xfedcba9876543210);
    step_add(group, &world.lines[3], A, UINT64_MAX);
    on(CLIENT);
    step_set_user(initiator, true);
    on(SERVER);
    step_group_wait(group, TIME_NEVER);
    must(is_waiting(SERVER)); /* USER is not in the mask */
    on_call(CLIENT, 10, TIME_NEVER);
    must(world_told(SERVER, SIGNAL_READABLE | SIGNAL_USER, 0xfedcba9876543210));
    on(SERVER_2);
    step_read(0, 0, 10);
    step_respond(0, 1);
    step_raise(&world.lines[3], A | SIGNAL_INTERRUPT_A << 2);
    step_group_wait(group, TIME_NEVER);
    must(world_told(SERVER_2, A | SIGNAL_INTERRUPT_A << 2, UINT64_MAX));
}

Test(wait_group, a_signalled_object_that_is_added_wakes)
{
    for (int takes = 0; takes < 2; takes++) {
        start();
        step_add(group, &world.lines[0], A, 1);
        step_raise(&world.lines[1], A);
        if (takes)
            step_group_take(group, false, 0, 100, TIME_NEVER);
        else
            step_group_wait(group, TIME_NEVER);
        must(is_waiting(SERVER));
        on(SERVER_2);
        step_add(group, &world.lines[1], A, 2);
        must(world_got(SERVER_2, STATUS_OK, 0) && world_told(SERVER, A, 2));
        must(world.threads[SERVER].waiter.state == THREAD_READY);
    }
}

/* The same for a request, which the woken thread has at once. */
Test(wait_group, a_handler_with_a_request_that_is_added_gives_it)
{
    start();
    step_add(group, &world.lines[0], A, 1);
    step_group_take(group, false, 0, 100, TIME_NEVER);
    on_call(CLIENT, 10, TIME_NEVER);
    on(SERVER_2);
    step_add(group, &handler->object, SIGNAL_READABLE, 2);
    must(world_told(SERVER, RESULT_REQUEST | 10, 2) && step_received(world.receive[SERVER], CLIENT, 0, 10));
}

Test(wait_group, waits_expire_and_poll)
{
    start_lines();
    for (int takes = 0; takes < 2; takes++) {
        for (uint64_t deadline_ns = 0; deadline_ns <= 2000; deadline_ns += 2000) {
            world.now_ns = 1000;
            on(SERVER);
            if (takes)
                step_group_take(group, false, 0, 100, deadline_ns);
            else
                step_group_wait(group, deadline_ns);
            must(is_waiting(SERVER) == (deadline_ns > 0));
            if (deadline_ns)
                step_at(deadline_ns);
            must(world_got(SERVER, STATUS_DEADLINE_EXCEEDED, 0));
        }
    }
    step_raise(&world.lines[7], A);
    on(SERVER);
    step_group_wait(group, 0);
    must(world_told(SERVER, A, 107));
}

/* Every occasional member is heard within a round, although one is always there. */
static void be_fair(bool takes)
{
    uint32_t waits[LINES] = {0}, raised[LINES] = {0}, heard[LINES] = {0};
    start_lines();
    step_raise(&world.lines[0], A);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t i = 1 + world_random(LINES - 1);
        if (!(world.lines[i].signals & A)) {
            step_raise(&world.lines[i], A);
            raised[i]++;
        }
        on(SERVER);
        if (takes)
            step_group_take(group, false, 0, 100, TIME_NEVER);
        else
            step_group_wait(group, TIME_NEVER);
        uint64_t from = world.threads[SERVER].result.value - 100;
        must(world_running() == SERVER && from < LINES && world_told(SERVER, A, from + 100));
        must(world.lines[from].signals & A);
        heard[from]++;
        for (uint32_t k = 0; k < LINES; k++) {
            waits[k] = k == from || !(world.lines[k].signals & A) ? 0 : waits[k] + 1;
            must(waits[k] < LINES);
        }
        if (from)
            world.lines[from].signals = 0; /* as interrupt_ack; the busy one stays */
    }
    must(heard[0] > ROUNDS / LINES);
    for (uint32_t k = 1; k < LINES; k++)
        must(raised[k] > 0 && heard[k] + !!world.lines[k].signals == raised[k]);
}

Test(wait_group, none_starves)
{
    be_fair(false);
    be_fair(true);
}

Test(wait_group, the_longest_signalled_comes_first)
{
    static const uint8_t order[] = {4, 2, 9, 0, 7};
    start_lines();
    for (size_t i = 0; i < sizeof(order); i++)
        step_raise(&world.lines[order[i]], A);
    step_raise(&world.lines[4], A); /* is there already, and keeps its place */
    world.lines[9].signals = 0;
    for (size_t i = 0; i < sizeof(order); i++) {
        if (order[i] == 9)
            continue;
        on(SERVER);
        step_group_wait(group, TIME_NEVER);
        must(world_told(SERVER, A, 100 + (uint64_t)order[i]));
        world.lines[order[i]].signals = 0;
    }
    step_group_wait(group, TIME_NEVER);
    must(is_waiting(SERVER));
}

Test(wait_group, a_member_that_leaves_is_not_told)
{
    start_lines();
    for (int i = 0; i < 3; i++)
        step_raise(&world.lines[i], A);
    on(SERVER);
    step_remove(group, &world.lines[1]);
    step_remove(group, &world.lines[0]);
    step_group_wait(group, TIME_NEVER);
    must(world_told(SERVER, A, 102));
    world.lines[2].signals = 0;
    step_raise(&world.lines[0], A); /* it is nobody's */
    step_group_wait(group, TIME_NEVER);
    must(is_waiting(SERVER));
    step_raise(&world.lines[0], SIGNAL_INTERRUPT_A << 1);
    must(is_waiting(SERVER));
}

/* Each of two waiters gets one of two raises; one raise wakes both who look, and one of those who take. */
Test(wait_group, two_threads_wait_on_one_group)
{
    start_lines();
    step_group_wait(group, TIME_NEVER);
    on(SERVER_2);
    step_group_wait(group, TIME_NEVER);
    step_raise(&world.lines[5], A);
    must(world_told(SERVER, A, 105) && world_told(SERVER_2, A, 105));
    start();
    step_add(group, &handler->object, SIGNAL_READABLE, 1);
    step_group_take(group, false, 0, 100, TIME_NEVER);
    on(SERVER_2);
    step_group_take(group, false, 0, 100, TIME_NEVER);
    on_call(CLIENT, 10, TIME_NEVER);
    must(world_told(SERVER, RESULT_REQUEST | 10, 1) && is_waiting(SERVER_2));
    must(step_received(world.receive[SERVER_2], CLIENT, 0, 0));
    on(SERVER);
    step_respond(0, 5);
    must(world_got(SERVER, STATUS_OK, 0) && world_got(CLIENT, STATUS_OK, 5));
    on_call(CLIENT, 12, TIME_NEVER);
    must(world_told(SERVER_2, RESULT_REQUEST | 12, 1));
}

/* A thread of the group and one on the member itself: one of them gets the request, the other waits on. */
Test(wait_group, a_request_goes_to_one_of_group_and_handler)
{
    for (int first = 0; first < 2; first++) {
        start();
        if (!first)
            step_wait_request(0, 100, TIME_NEVER);
        on(SERVER_2);
        step_add(group, &handler->object, SIGNAL_READABLE | SIGNAL_ERROR, 1);
        step_group_take(group, false, 0, 100, TIME_NEVER);
        if (first) {
            on(SERVER);
            step_wait_request(0, 100, TIME_NEVER);
        }
        on_call(CLIENT, 10, TIME_NEVER);
        must(first ? world_told(SERVER_2, RESULT_REQUEST | 10, 1) : world_got(SERVER, STATUS_OK, 10));
        must(is_waiting(SERVER_2) == !first);
        must(first == (world.threads[SERVER].waiter.state == THREAD_WAIT_BEHIND));
        on(CLIENT_2); /* a second client must not go straight to who waits on */
        step_transact(0, 5, 5, TIME_NEVER);
        must(world_got(CLIENT_2, STATUS_FAILED_PRECONDITION, 0));
    }
}
