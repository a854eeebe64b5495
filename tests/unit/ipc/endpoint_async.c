/* SPDX-License-Identifier: MIT
 * Transactions without a blocked thread: started, collected and cancelled in each state, on one CPU and between two.
 * The server asks, with two threads; the other answers. */
#include "tests/unit/ipc/endpoint_steps.h"

#include <string.h>

enum { P = 7, N = 10, ROOM = 20, ASKED = THREADS + 1 /* whose bytes an asynchronous request on channel 1 has */ };

static struct endpoint *const initiator = &world.initiators[1], *const handler = &world.handlers[1];

static void start(uint8_t other_cpu)
{
    world_create_on((const uint8_t[THREADS]){WORLD_ABSENT, WORLD_ABSENT, P, P, P, WORLD_ABSENT, WORLD_ABSENT},
                    (const uint8_t[PROCESSES]){[OTHER_PROCESS] = other_cpu});
    step_fill();
}

static void on(int thread)
{
    world_on(world.threads[thread].process->cpu);
    step_until(thread);
}

/* The request is out and the other may have read it. */
static void start_asked(uint8_t other_cpu, bool read)
{
    start(other_cpu);
    on(SERVER);
    step_async(1, N, ROOM);
    must(world_running() == SERVER && world_got(SERVER, STATUS_OK, 0));
    must(!initiator->object.signals);
    world_deliver();
    on(OTHER);
    if (read)
        step_read(1, 0, ROOM);
    must(!read || (world_got(OTHER, STATUS_OK, N) && step_received(world.receive[OTHER], ASKED, 0, N)));
    on(SERVER);
}

static void answer(uint64_t n)
{
    on(OTHER);
    step_respond(1, n);
    must(world_got(OTHER, STATUS_OK, 0));
}

/* The other has read and answered; its message has arrived. */
static void start_answered(uint8_t other_cpu)
{
    start_asked(other_cpu, true);
    answer(7);
    world_deliver();
    on(SERVER);
    must(initiator->object.signals == SIGNAL_READABLE);
}

static bool written(uint64_t n)
{
    return step_received(world.async_receive[1], OTHER, 0, n);
}

/* The end is as new: a transaction goes through. */
static void must_be_usable(void)
{
    must(initiator->object.signals == SIGNAL_WRITEABLE);
    step_fill();
    on(SERVER);
    step_async(1, N, ROOM);
    must(world_got(SERVER, STATUS_OK, 0));
    world_deliver();
    on(OTHER);
    step_read(1, 0, 100);
    if (world_got(OTHER, STATUS_UNAVAILABLE, 0)) /* it is told that the one before was withdrawn */
        step_read(1, 0, 100);
    must(world_got(OTHER, STATUS_OK, N));
    answer(ROOM);
    world_deliver();
    on(SERVER);
    step_complete(1);
    must(world_got(SERVER, STATUS_OK, ROOM) && written(ROOM) && initiator->object.signals == SIGNAL_WRITEABLE);
}

Test(endpoint_async, completes_in_each_state)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start(cpu);
        on(SERVER);
        step_complete(1);
        must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
        for (int read = 0; read < 2; read++) {
            start_asked(cpu, read);
            step_complete(1);
            must(world_got(SERVER, STATUS_FAILED_PRECONDITION, 0) && written(0));
        }
        start_answered(cpu);
        must(written(7));
        step_complete(1);
        must(world_got(SERVER, STATUS_OK, 7) && initiator->object.signals == SIGNAL_WRITEABLE);
        step_complete(1);
        must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
        must_be_usable();
    }
}

Test(endpoint_async, one_transaction_at_a_time)
{
    for (int state = 0; state < 4; state++) {
        if (state < 2)
            start_asked(state % 2, true);
        else
            start_answered(state % 2);
        step_async(1, 1, 1);
        must(world_got(SERVER, STATUS_FAILED_PRECONDITION, 0));
        step_transact(1, 1, 1, TIME_NEVER);
        must(world_running() == SERVER && world_got(SERVER, STATUS_FAILED_PRECONDITION, 0));
        must(written(state < 2 ? 0 : 7));
    }
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start(cpu);
        on(SERVER);
        step_transact(1, N, ROOM, TIME_NEVER);
        on(SERVER_2);
        step_async(1, 1, 1);
        must(world_got(SERVER_2, STATUS_FAILED_PRECONDITION, 0) && initiator->caller == &world.threads[SERVER]);
    }
}

Test(endpoint_async, the_end_wakes_who_waits)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start_asked(cpu, true);
        step_wait(&initiator->object, SIGNAL_READABLE, TIME_NEVER);
        on(SERVER_2);
        step_add(&world.groups[SERVER_PROCESS], &initiator->object, SIGNAL_READABLE | SIGNAL_ERROR, 99);
        step_group_wait(&world.groups[SERVER_PROCESS], TIME_NEVER);
        must(cpu == 0 || world.idle);
        answer(3);
        world_deliver();
        must(world_told(SERVER, SIGNAL_READABLE, 0) && world_told(SERVER_2, SIGNAL_READABLE, 99));
    }
}

Test(endpoint_async, the_handler_dies_in_each_state)
{
    for (int state = 0; state < 6; state++) {
        if (state < 4)
            start_asked(state % 2, state & 2);
        else
            start_answered(state % 2);
        world_stop(&world.processes[OTHER_PROCESS]);
        world_deliver();
        must(initiator->object.signals == (SIGNAL_READABLE | SIGNAL_ERROR));
        on(SERVER);
        step_complete(1);
        must(state < 4 ? world_got(SERVER, STATUS_UNAVAILABLE, 0) : world_got(SERVER, STATUS_OK, 7));
        must(initiator->object.signals == SIGNAL_ERROR && written(state < 4 ? 0 : 7));
        step_async(1, 1, 1);
        must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
        world_revive(&world.processes[OTHER_PROCESS]);
        world_deliver();
        must_be_usable();
    }
}

/* The handler is there again before anybody has collected the end of the one before. */
Test(endpoint_async, an_old_end_is_collected_in_the_next_life)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start_asked(cpu, true);
        world_stop(&world.processes[OTHER_PROCESS]);
        world_deliver();
        world_revive(&world.processes[OTHER_PROCESS]);
        world_deliver();
        must(initiator->object.signals == SIGNAL_READABLE);
        on(SERVER);
        step_async(1, 1, 1);
        must(world_got(SERVER, STATUS_FAILED_PRECONDITION, 0));
        if (cpu)
            step_cancel(1);
        else
            step_complete(1);
        must(cpu ? world_got(SERVER, STATUS_OK, 0) : world_got(SERVER, STATUS_UNAVAILABLE, 0));
        must_be_usable();
    }
}

Test(endpoint_async, cancels_in_each_state)
{
    for (int state = 0; state < 8; state++) {
        uint8_t cpu = state % 2;
        if (state < 2) {
            start(cpu);
            on(SERVER);
        } else if (state < 6) {
            start_asked(cpu, state >= 4);
        } else {
            start_answered(cpu);
        }
        step_cancel(1);
        must(world_running() == SERVER && world_got(SERVER, state < 2 ? STATUS_UNAVAILABLE : STATUS_OK, 0));
        must(initiator->object.signals == SIGNAL_WRITEABLE);
        step_complete(1);
        must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
        on(OTHER);
        step_respond(1, 4);
        must(world_got(OTHER, STATUS_UNAVAILABLE, 0) && written(state < 6 ? 0 : 7));
        world_deliver();
        must_be_usable();
    }
}

/* The answer is being written at this moment: the buffers are free when that is over, and so is the call. */
Test(endpoint_async, a_cancellation_waits_for_an_answer_under_way)
{
    start_asked(1, true);
    answer(7);
    on(SERVER);
    step_cancel(1);
    must(world.threads[SERVER].waiter.state == THREAD_WAIT_RESPONSE && !initiator->object.signals);
    on(SERVER_2);
    step_cancel(1);
    must(world_got(SERVER_2, STATUS_UNAVAILABLE, 0));
    step_complete(1);
    must(world_got(SERVER_2, STATUS_UNAVAILABLE, 0));
    step_async(1, 1, 1);
    must(world_got(SERVER_2, STATUS_FAILED_PRECONDITION, 0));
    world_deliver();
    must(world_got(SERVER, STATUS_OK, 0) && written(7));
    must_be_usable();
}

/* Of the thread that waits for it, and then of the whole process. */
Test(endpoint_async, who_waits_for_an_answer_under_way_ends)
{
    for (int process = 0; process < 2; process++) {
        start_asked(1, true);
        answer(7);
        on(SERVER);
        step_cancel(1);
        on(SERVER_2);
        if (process)
            step_simply(CALL_EXIT);
        else
            step_to(CALL_TERMINATE, &world.of[SERVER].object);
        must(!initiator->caller && !initiator->object.signals);
        must(initiator->async == (process ? ASYNC_NONE : ASYNC_ABANDONED));
        world_deliver();
        must(initiator->object.signals == (process ? 0 : SIGNAL_WRITEABLE));
        must(handler->object.signals == (process ? SIGNAL_ERROR : 0));
    }
}

Test(endpoint_async, another_threads_transaction_is_cancelled)
{
    for (int state = 0; state < 6; state++) {
        uint8_t cpu = state % 2;
        bool answered = state >= 4;
        if (answered && cpu == 0)
            continue; /* on one CPU the answer is there at once */
        start(cpu);
        on(SERVER);
        step_transact(1, N, ROOM, 5000);
        if (state >= 2) {
            world_deliver();
            on(OTHER);
            step_read(1, 0, ROOM);
        }
        if (answered)
            step_respond(1, 6);
        on(SERVER_2);
        step_cancel(1);
        must(world_got(SERVER_2, answered ? STATUS_UNAVAILABLE : STATUS_OK, 0));
        on(OTHER);
        step_respond(1, 5);
        must(world_got(OTHER, STATUS_UNAVAILABLE, 0));
        world_deliver();
        must(answered ? world_got(SERVER, STATUS_OK, 6) : world_got(SERVER, STATUS_CANCELLED, 0));
        must(step_received(world.receive[SERVER], OTHER, 0, answered ? 6 : 0));
        must_be_usable();
    }
}

/* The thread that is blocked in a transaction ends: nobody waits any more, the process goes on. */
Test(endpoint_async, a_dying_thread_abandons_its_transaction)
{
    for (int state = 0; state < 6; state++) {
        uint8_t cpu = state % 2;
        bool answered = state >= 4;
        if (answered && cpu == 0)
            continue;
        start(cpu);
        on(SERVER);
        step_transact(1, N, ROOM, 5000);
        if (state >= 2) {
            world_deliver();
            on(OTHER);
            step_read(1, 0, ROOM);
        }
        if (answered)
            step_respond(1, 6);
        on(SERVER_2);
        step_to(CALL_TERMINATE, &world.of[SERVER].object);
        must(world_got(SERVER_2, STATUS_OK, 0) && !initiator->caller);
        must(initiator->object.signals == (answered ? 0 : SIGNAL_WRITEABLE));
        step_cancel(1);
        must(world_got(SERVER_2, STATUS_UNAVAILABLE, 0));
        step_async(1, 1, ROOM);
        must(world_got(SERVER_2, answered ? STATUS_FAILED_PRECONDITION : STATUS_OK, 0));
        world_deliver();
        on(OTHER);
        step_respond(1, 5);
        must(world_got(OTHER, STATUS_UNAVAILABLE, 0));
        must(step_received(world.receive[SERVER], OTHER, 0, answered ? 6 : 0));
    }
}

/* The second waits until the first one's cancellation is acknowledged, and so does a third after the second is
 * cancelled in its turn. Meanwhile the other CPU may still read the first one's pieces. */
Test(endpoint_async, a_held_transaction_has_buffers_of_its_own)
{
    for (int held = 1; held < 4; held++) {
        start_asked(1, true);
        const struct parts *first = (const struct parts *)(const void *)handler->request;
        const struct parts then = *first;
        for (int i = 0; i < held; i++) {
            step_cancel(1);
            step_async(1, 3 + (uint64_t)i, 1 + (uint64_t)i);
            must(world_got(SERVER, STATUS_OK, 0) && initiator->held);
            must(memcmp(first, &then, sizeof(then)) == 0);
        }
        world_deliver();
        on(OTHER);
        step_read(1, 0, 100);
        must(world_got(OTHER, STATUS_UNAVAILABLE, 0));
        step_read(1, 0, 100);
        must(world_got(OTHER, STATUS_OK, 2 + (uint64_t)held));
        step_respond(1, 1 + (uint64_t)held);
        must(world_got(OTHER, STATUS_OUT_OF_RANGE, 0));
        answer((uint64_t)held);
        world_deliver();
        on(SERVER);
        step_complete(1);
        must(world_got(SERVER, STATUS_OK, (uint64_t)held) && written((uint64_t)held));
        must_be_usable();
    }
}

/* An asynchronous transaction closes the direct way, and its end opens it. */
Test(endpoint_async, the_direct_way_is_open_again)
{
    for (int cancelled = 0; cancelled < 2; cancelled++) {
        if (cancelled)
            start_asked(0, false);
        else
            start_answered(0);
        must(initiator->local_peer != handler);
        if (cancelled)
            step_cancel(1);
        else
            step_complete(1);
        must(initiator->local_peer == handler);
    }
}
