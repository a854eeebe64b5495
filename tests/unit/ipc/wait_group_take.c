/* SPDX-License-Identifier: MIT
 * Requests that are taken out of a wait group: each is given once, and answered at once, later, or by another. The
 * server has three handlers: of the client's two threads, on channels 0 and 2, and of the other, on channel 3. */
#include "tests/unit/ipc/endpoint_steps.h"

#include <string.h>

enum { P = 7, A = SIGNAL_INTERRUPT_A, ALL = SIGNAL_READABLE | SIGNAL_ERROR };

static struct wait_group *const group = &world.groups[SERVER_PROCESS];
static const int channels[] = {0, 2, 3}, askers[] = {CLIENT, CLIENT_2, OTHER};

static void on(int thread)
{
    world_on(world.threads[thread].process->cpu);
    step_until(thread);
}

/* The handlers are members; the user data is the channel. */
static void start_on(uint8_t client_cpu, uint8_t other_cpu)
{
    world_create_on((const uint8_t[THREADS]){P, P, P, P, P, WORLD_ABSENT, WORLD_ABSENT},
                    (const uint8_t[PROCESSES]){[CLIENT_PROCESS] = client_cpu, [OTHER_PROCESS] = other_cpu});
    step_fill();
    on(SERVER);
    for (int i = 0; i < 3; i++)
        step_add(group, &world.handlers[channels[i]].object, ALL, (uint64_t)channels[i]);
}

static void start(void)
{
    start_on(0, 0);
}

/* Asker `i` asks, with 10 + i bytes. */
static void ask(int i, uint64_t deadline_ns)
{
    on(askers[i]);
    step_transact(channels[i], 10 + (uint64_t)i, 50, deadline_ns);
    must(world.threads[askers[i]].waiter.state == THREAD_WAIT_RESPONSE);
    world_deliver();
}

/* The thread takes asker i's request. */
static void take(int thread, int i)
{
    on(thread);
    memset(world.receive[thread], UNTOUCHED, BUFFER_BYTES);
    step_group_take(group, false, 0, 100, TIME_NEVER);
    must(world_running() == thread && world_told(thread, RESULT_REQUEST | (10 + (uint32_t)i), (uint64_t)channels[i]));
    must(step_received(world.receive[thread], askers[i], 0, 10 + (uint64_t)i));
}

static void must_wait(int thread)
{
    on(thread);
    step_group_take(group, false, 0, 100, TIME_NEVER);
    must(world.threads[thread].waiter.state == THREAD_WAIT_REQUEST);
}

static bool answered(int i, int by, uint64_t n)
{
    return world_got(askers[i], STATUS_OK, n) && step_received(world.receive[askers[i]], by, 0, n);
}

Test(wait_group_take, each_request_is_given_once)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start_on(cpu, 0);
        for (int i = 0; i < 3; i++)
            ask(i, TIME_NEVER);
        take(SERVER, 0);
        take(SERVER_2, 1);
        take(SERVER, 2);
        must_wait(SERVER);
        must_wait(SERVER_2);
        must(!world.threads[CLIENT].result.status && world.threads[CLIENT].waiter.state == THREAD_WAIT_RESPONSE);
    }
}

static void answers_come_in_order(uint8_t cpu, const int order[3])
{
    start_on(cpu, cpu);
    for (int i = 0; i < 3; i++)
        ask(i, TIME_NEVER);
    for (int i = 0; i < 3; i++)
        take(SERVER, i);
    for (int k = 0; k < 3; k++) {
        int i = order[k];
        on(k == 1 ? SERVER_2 : SERVER); /* any thread may */
        step_respond(channels[i], 20 + (uint64_t)i);
        must(world_got(k == 1 ? SERVER_2 : SERVER, STATUS_OK, 0));
        world_deliver();
        must(answered(i, k == 1 ? SERVER_2 : SERVER, 20 + (uint64_t)i));
        on(SERVER);
        step_respond(channels[i], 1);
        must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
        for (int later = k + 1; later < 3; later++)
            must(world.threads[askers[order[later]]].waiter.state == THREAD_WAIT_RESPONSE);
    }
    ask(1, TIME_NEVER);
    take(SERVER, 1);
}

Test(wait_group_take, answers_come_in_any_order)
{
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int i = 0; i < 6; i++)
        for (uint8_t cpu = 0; cpu < 2; cpu++)
            answers_come_in_order(cpu, orders[i]);
}

/* While one is served, others that were put off are answered in between. */
Test(wait_group_take, the_group_answers_what_this_thread_took_last)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start_on(cpu, cpu);
        on(SERVER);
        step_group_take(group, true, 5, 100, TIME_NEVER);
        must(world_running() == SERVER && world_got(SERVER, STATUS_UNAVAILABLE, 0)); /* it took none */
        for (int i = 0; i < 3; i++)
            ask(i, TIME_NEVER);
        take(SERVER, 0);
        take(SERVER_2, 1);
        on(SERVER);
        step_group_take(group, true, 5, 100, TIME_NEVER);
        world_deliver();
        must(answered(0, SERVER, 5) && world_told(SERVER, RESULT_REQUEST | 12, 3));
        on(SERVER);
        step_group_take(group, true, 6, 100, TIME_NEVER);
        world_deliver();
        must(answered(2, SERVER, 6) && world.threads[SERVER].waiter.state == THREAD_WAIT_REQUEST);
        must(world.threads[CLIENT_2].waiter.state == THREAD_WAIT_RESPONSE);
        on(SERVER_2);
        step_group_take(group, true, 7, 100, TIME_NEVER);
        world_deliver();
        must(answered(1, SERVER_2, 7));
    }
}

Test(wait_group_take, an_answer_that_is_refused_waits_for_nothing)
{
    start();
    ask(0, TIME_NEVER);
    ask(1, TIME_NEVER);
    take(SERVER, 0);
    step_group_take(group, true, 51, 100, TIME_NEVER);
    must(world_running() == SERVER && world_got(SERVER, STATUS_OUT_OF_RANGE, 0));
    step_respond(0, 9);
    must(world_got(SERVER, STATUS_OK, 0) && answered(0, SERVER, 9));
    step_group_take(group, true, 9, 100, TIME_NEVER);
    must(world_running() == SERVER && world_got(SERVER, STATUS_UNAVAILABLE, 0)); /* answered already */
    take(SERVER, 1);
}

/* The request was withdrawn, and the next one of the same end is another thread's, or nobody's yet. */
Test(wait_group_take, an_answer_does_not_reach_the_next_request)
{
    for (int state = 0; state < 4; state++) {
        start_on(state & 1, 0);
        ask(0, 2000);
        take(SERVER, 0);
        world_on(state & 1);
        step_at(2000);
        must(world_got(CLIENT, STATUS_DEADLINE_EXCEEDED, 0));
        world_deliver();
        ask(0, TIME_NEVER);
        if (state & 2)
            take(SERVER_2, 0);
        on(SERVER);
        step_group_take(group, true, 5, 100, TIME_NEVER);
        must(world_running() == SERVER && world_got(SERVER, STATUS_UNAVAILABLE, 0));
        must(step_received(world.receive[CLIENT], 0, 0, 0));
        if (!(state & 2))
            take(SERVER_2, 0);
        on(SERVER_2);
        step_group_take(group, true, 6, 100, TIME_NEVER);
        world_deliver();
        must(answered(0, SERVER_2, 6));
    }
}

/* A request whose initiator has given up, on the other CPU, is not given: the wait goes on. */
Test(wait_group_take, what_is_cancelled_is_not_given)
{
    for (int waits = 0; waits < 2; waits++) {
        start_on(1, 0);
        if (waits)
            must_wait(SERVER);
        on(CLIENT);
        step_transact(0, 10, 50, 2000);
        if (!waits)
            world_deliver();
        world_on(1);
        step_at(2000);
        if (waits) {
            world_deliver_one(0); /* REQUEST */
        } else {
            must_wait(SERVER);
        }
        must(world.threads[SERVER].waiter.state == THREAD_WAIT_REQUEST);
        world_deliver();
        world.now_ns = 1000;
        ask(0, TIME_NEVER);
        must(world_told(SERVER, RESULT_REQUEST | 10, 0));
    }
}

/* A member may have more than a request: that comes next. */
Test(wait_group_take, signals_and_requests_come_one_by_one)
{
    start();
    step_remove(group, &world.handlers[0].object);
    step_add(group, &world.handlers[0].object, SIGNAL_READABLE | SIGNAL_USER, 0);
    on(CLIENT);
    step_set_user(&world.initiators[0], true);
    ask(0, TIME_NEVER);
    take(SERVER, 0);
    for (int i = 0; i < 2; i++) { /* a level, as from object_wait */
        step_group_take(group, false, 0, 100, TIME_NEVER);
        must(world_told(SERVER, SIGNAL_READABLE | SIGNAL_USER, 0));
    }
    on(CLIENT_2);
    step_set_user(&world.initiators[0], false);
    must_wait(SERVER);
}

Test(wait_group_take, error_is_told_once)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start_on(cpu, 0);
        ask(0, TIME_NEVER);
        take(SERVER, 0);
        world_stop(&world.processes[CLIENT_PROCESS]);
        world_deliver();
        for (uint64_t channel = 0; channel <= 2; channel += 2) {
            step_group_take(group, false, 0, 100, TIME_NEVER);
            must(world_running() == SERVER && world_told(SERVER, SIGNAL_ERROR, channel));
        }
        must_wait(SERVER);
        world_stop(&world.processes[OTHER_PROCESS]);
        world_deliver();
        must(world_told(SERVER, SIGNAL_ERROR, 3) && !world.handlers[3].object.signals);
    }
}

/* object_wait looks only: it tells of ERROR, and of a request that was read, as long as they are there; not of one that
 * somebody took. */
Test(wait_group_take, who_looks_sees_what_is_read)
{
    start();
    ask(0, TIME_NEVER);
    on(SERVER);
    step_read(0, 0, 10);
    on(SERVER_2);
    for (int i = 0; i < 3; i++) {
        must_wait(SERVER); /* not for who takes */
        on(SERVER_2);
        step_group_wait(group, TIME_NEVER);
        must(world_told(SERVER_2, SIGNAL_READABLE, 0));
        ask(1, TIME_NEVER); /* goes to who waits */
        must(world_told(SERVER, RESULT_REQUEST | 11, 2));
        on(SERVER);
        step_respond(2, 1);
    }
    ask(1, TIME_NEVER);
    take(SERVER, 1);
    step_respond(0, 1);
    on(SERVER_2);
    step_group_wait(group, TIME_NEVER);
    must(world.threads[SERVER_2].waiter.state == THREAD_WAIT_SIGNALS);
    world_stop(&world.processes[OTHER_PROCESS]);
    must(world_told(SERVER_2, SIGNAL_ERROR, 3) && world.handlers[3].object.signals == SIGNAL_ERROR);
    on(SERVER);
    step_wait(&world.handlers[2].object, SIGNAL_READABLE, TIME_NEVER); /* the handler itself is as it is */
    must(world_told(SERVER, SIGNAL_READABLE, 0));
}

/* A request that was read, and a line that fires, both always there: who looks hears of both. */
Test(wait_group_take, neither_queue_starves)
{
    start();
    step_add(group, &world.lines[0], A, 50);
    ask(0, TIME_NEVER);
    on(SERVER);
    step_read(0, 0, 10);
    step_raise(&world.lines[0], A);
    on(SERVER);
    step_group_take(group, false, 0, 100, TIME_NEVER); /* finds that it was read */
    must(world_told(SERVER, A, 50));
    uint32_t heard[2] = {0};
    on(SERVER_2);
    for (int i = 0; i < 100; i++) {
        step_group_wait(group, TIME_NEVER);
        heard[world.threads[SERVER_2].result.value == 50]++;
    }
    must(heard[0] == 50 && heard[1] == 50);
}

/* The direct wait of another thread gets it as well; the taker may still answer. */
Test(wait_group_take, a_taken_request_is_received_again)
{
    start();
    ask(0, TIME_NEVER);
    take(SERVER, 0);
    on(SERVER_2);
    step_wait_request(0, 100, TIME_NEVER);
    must(world_got(SERVER_2, STATUS_OK, 10) && step_received(world.receive[SERVER_2], CLIENT, 0, 10));
    step_group_take(group, true, 5, 100, TIME_NEVER);
    must(world_running() == SERVER_2 && world_got(SERVER_2, STATUS_UNAVAILABLE, 0)); /* it took none */
    on(SERVER);
    step_group_take(group, true, 5, 100, TIME_NEVER);
    must(answered(0, SERVER, 5));
}

/* The direct way to a server that waits through a group, and back, with other members at rest or not. */
Test(wait_group_take, a_call_goes_straight)
{
    for (int busy = 0; busy < 2; busy++) {
        start();
        on(OTHER);
        step_wait_request(1, 100, TIME_NEVER);
        must_wait(SERVER);
        on(CLIENT_2);
        step_wait(&world.initiators[2].object, SIGNAL_ERROR, TIME_NEVER);
        on(SERVER_2);
        if (busy)
            must_wait(SERVER_2);
        else
            step_wait(&world.lines[9], A, TIME_NEVER);
        uint64_t handoffs = world_handoffs;
        step_transact(0, 10, 50, TIME_NEVER);
        must(world_told(SERVER, RESULT_REQUEST | 10, 0) && world_handoffs == handoffs + !busy);
        must(step_received(world.receive[SERVER], CLIENT, 0, 10));
        step_group_take(group, true, 5, 100, TIME_NEVER);
        must(world_running() == CLIENT && answered(0, SERVER, 5) && world_handoffs == handoffs + (busy ? 0 : 2));
    }
}

/* Who took it is gone: it can still be answered by the handler's own handle, but no more through the group. */
Test(wait_group_take, the_taker_ends)
{
    start();
    ask(0, TIME_NEVER);
    take(SERVER, 0);
    on(SERVER_2);
    step_to(CALL_TERMINATE, &world.of[SERVER].object);
    step_to(CALL_JOIN, &world.of[SERVER].object);
    must(world_got(SERVER_2, STATUS_OK, EXIT_TERMINATED));
    step_to(CALL_START, &world.of[SERVER].object);
    on(SERVER);
    step_group_take(group, true, 5, 100, TIME_NEVER);
    must(world_running() == SERVER && world_got(SERVER, STATUS_UNAVAILABLE, 0));
    step_respond(0, 5);
    must(world_got(SERVER, STATUS_OK, 0) && answered(0, SERVER, 5));
}

/* A process that stops leaves no member behind, and starts with an empty group. */
Test(wait_group_take, the_group_dies_with_its_process)
{
    for (int waits = 0; waits < 2; waits++) {
        start();
        ask(0, TIME_NEVER);
        step_raise(&world.lines[0], A);
        if (waits) {
            take(SERVER, 0);
            must_wait(SERVER);
        }
        world_stop(&world.processes[SERVER_PROCESS]);
        must(!group->members && !group->fresh.first && !group->read.first && !world.handlers[0].object.waiters);
        world_deliver();
        world_revive(&world.processes[SERVER_PROCESS]);
        world_deliver();
        on(SERVER);
        step_group_take(group, true, 5, 100, TIME_NEVER);
        must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
        step_group_take(group, false, 5, 100, TIME_NEVER);
        must(world_got(SERVER, STATUS_INVALID_ARGUMENT, 0));
        step_add(group, &world.handlers[0].object, ALL, 0);
        ask(0, TIME_NEVER);
        take(SERVER, 0);
    }
}
