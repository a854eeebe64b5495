/* SPDX-License-Identifier: MIT
 * A transaction between two CPUs, in every order of messages and calls that matters. The channel is the second one: the
 * server asks, the other answers. */
#include "tests/unit/ipc/endpoint_steps.h"

enum { P = 7, REQUEST_BYTES = 10, ROOM = 20, DEADLINE_NS = 2000 };

static struct endpoint *const initiator = &world.initiators[1], *const handler = &world.handlers[1];

/* The server is on CPU 0, the other on CPU 1: whose turn it is, is said. */
static void on_server(void)
{
    world_on(0);
    must(world_running() == SERVER);
}

static void on_other(void)
{
    world_on(1);
    must(world_running() == OTHER);
}

static void transact(void)
{
    on_server();
    step_transact(1, REQUEST_BYTES, ROOM, DEADLINE_NS);
    must(world.threads[SERVER].waiter.state == THREAD_WAIT_RESPONSE && world.idle);
}

static void wait_request(void)
{
    on_other();
    step_wait_request(1, ROOM, TIME_NEVER);
}

static void read_all(void)
{
    on_other();
    step_read(1, 0, ROOM);
}

static void respond(uint64_t n)
{
    on_other();
    step_respond(1, n);
}

static void pass_deadline(void)
{
    world_on(0);
    step_at(DEADLINE_NS);
}

static void start(void)
{
    world_create_on(
        (const uint8_t[THREADS]){WORLD_ABSENT, WORLD_ABSENT, P, WORLD_ABSENT, P, WORLD_ABSENT, WORLD_ABSENT},
        (const uint8_t[PROCESSES]){[OTHER_PROCESS] = 1});
    step_fill();
}

/* The request is out, and the other has it. */
static void start_with_request(void)
{
    start();
    transact();
    world_deliver();
    read_all();
    must(world_got(OTHER, STATUS_OK, REQUEST_BYTES) && step_received(world.receive[OTHER], SERVER, 0, REQUEST_BYTES));
}

Test(endpoint_remote, request_and_response)
{
    start_with_request();
    respond(ROOM + 1);
    must(world_got(OTHER, STATUS_OUT_OF_RANGE, 0));
    respond(ROOM);
    must(world_got(OTHER, STATUS_OK, 0) && world.threads[SERVER].waiter.state == THREAD_WAIT_RESPONSE);
    world_deliver();
    must(world_got(SERVER, STATUS_OK, ROOM) && step_received(world.receive[SERVER], OTHER, 0, ROOM));
    must(initiator->object.signals == SIGNAL_WRITEABLE && handler->object.signals == 0);
    respond(1);
    must(world_got(OTHER, STATUS_UNAVAILABLE, 0));
}

Test(endpoint_remote, the_deadline_takes_the_answer)
{
    start_with_request();
    pass_deadline();
    must(world_got(SERVER, STATUS_DEADLINE_EXCEEDED, 0) && initiator->unacknowledged);
    respond(5);
    must(world_got(OTHER, STATUS_UNAVAILABLE, 0) && step_received(world.receive[SERVER], OTHER, 0, 0));
    world_deliver();
    must(!initiator->unacknowledged && handler->object.signals == 0);
    read_all();
    must(world_got(OTHER, STATUS_UNAVAILABLE, 0));
}

Test(endpoint_remote, a_cancelled_request_cannot_be_read)
{
    start_with_request();
    pass_deadline();
    read_all();
    must(world_got(OTHER, STATUS_UNAVAILABLE, 0) && handler->object.signals == 0);
    world_deliver();
    must(!initiator->unacknowledged && handler->reading == READING_NOT_BEGUN);
}

Test(endpoint_remote, a_request_dies_with_its_initiator)
{
    start_with_request();
    world_stop(&world.processes[SERVER_PROCESS]);
    world_deliver();
    must(handler->object.signals == SIGNAL_ERROR && handler->reading == READING_WITHDRAWN);
    read_all();
    must(world_got(OTHER, STATUS_UNAVAILABLE, 0));
}

Test(endpoint_remote, an_answer_under_way_outlives_the_deadline)
{
    start_with_request();
    respond(5);
    pass_deadline();
    must(world.threads[SERVER].waiter.state == THREAD_WAIT_RESPONSE && world.idle);
    world_deliver();
    must(world_got(SERVER, STATUS_OK, 5) && world.message_count == 0);
}

Test(endpoint_remote, a_request_is_held_until_the_cancellation_is_answered)
{
    start_with_request();
    pass_deadline();
    world.now_ns = 0; /* the same deadline again */
    transact();
    must(initiator->held && world.message_count == 1);
    world_deliver(); /* CANCEL, its echo, and the held REQUEST */
    must(!initiator->held && handler->generation == 2 && handler->object.signals == SIGNAL_READABLE);
    read_all();
    must(world_got(OTHER, STATUS_UNAVAILABLE, 0)); /* the first was withdrawn */
    read_all();
    must(world_got(OTHER, STATUS_OK, REQUEST_BYTES));
    respond(1);
    world_deliver();
    must(world_got(SERVER, STATUS_OK, 1));
}

Test(endpoint_remote, a_held_request_expires_where_it_is)
{
    start_with_request();
    pass_deadline();
    world.now_ns = 0;
    transact();
    pass_deadline();
    must(world_got(SERVER, STATUS_DEADLINE_EXCEEDED, 0) && !initiator->held && world.message_count == 1);
    world_deliver();
    must(handler->generation == 1 && handler->object.signals == 0);
}

/* The cancellation is seen in the claim while the request is copied, before its message comes. */
Test(endpoint_remote, what_is_cancelled_is_not_delivered)
{
    start_with_request();
    pass_deadline();
    wait_request();
    must(world.threads[OTHER].waiter.state == THREAD_WAIT_REQUEST && handler->object.signals == 0);
    world.now_ns = 0;
    transact();
    world_deliver();
    must(world_got(OTHER, STATUS_OK, REQUEST_BYTES));
}

/* The same, and the other gives up before the next request comes: that one it must read before it may answer. */
Test(endpoint_remote, the_next_request_must_be_read)
{
    start_with_request();
    pass_deadline();
    on_other();
    step_wait_request(1, ROOM, 0);
    must(world_running() == OTHER && world_got(OTHER, STATUS_DEADLINE_EXCEEDED, 0));
    world.now_ns = 0;
    transact();
    world_deliver();
    respond(5);
    must(world_got(OTHER, STATUS_UNAVAILABLE, 0) && world.threads[SERVER].waiter.state == THREAD_WAIT_RESPONSE);
    read_all();
    respond(5);
    must(world_got(OTHER, STATUS_OK, 0));
}

Test(endpoint_remote, the_handler_dies)
{
    for (int answered = 0; answered < 2; answered++) {
        start_with_request();
        if (answered)
            respond(5);
        on_other();
        step_simply(CALL_EXIT);
        must(world.idle);
        world_deliver();
        on_server();
        must(answered ? world_got(SERVER, STATUS_OK, 5) : world_got(SERVER, STATUS_UNAVAILABLE, 0));
        must(initiator->object.signals == SIGNAL_ERROR);
        step_transact(1, 1, 1, TIME_NEVER);
        must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
    }
}

Test(endpoint_remote, the_initiator_dies)
{
    for (int waiting = 0; waiting < 2; waiting++) {
        start_with_request();
        world_stop(&world.processes[SERVER_PROCESS]);
        if (waiting)
            wait_request();
        else
            respond(5);
        must(waiting ? world.idle : world_got(OTHER, STATUS_UNAVAILABLE, 0));
        must(step_received(world.receive[SERVER], OTHER, 0, 0));
        world_deliver();
        on_other();
        must(handler->object.signals == (waiting ? 0 : SIGNAL_ERROR)); /* the wait has told it */
        must(world_got(OTHER, STATUS_UNAVAILABLE, 0));
    }
}
