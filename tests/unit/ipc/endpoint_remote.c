/* SPDX-License-Identifier: MIT
 * A transaction between two CPUs, both ends played on one: a message waits until the test delivers it, so every order
 * of messages and calls can be written down. The channel is the second one: the server asks, the other answers. What
 * real CPUs add, two stores at once, is the model's business (tests/model/claim.pml). */
#include "tests/unit/ipc/endpoint_world.h"

#include <string.h>

enum { P = 7, REQUEST_BYTES = 10, ROOM = 20, DEADLINE_NS = 2000 };

static struct endpoint *const initiator = &world.initiators[1], *const handler = &world.handlers[1];

static bool got(int i, enum status status, uint64_t value)
{
    const struct result *r = &world.threads[i].result;
    return r->status == status && r->value == value;
}

static bool runs(int i)
{
    return !world.idle && sched_current() == &world.threads[i];
}

static void call_with(enum call_kind kind, uint64_t n, bool answer, uint64_t deadline_ns)
{
    const long i = sched_current() - world.threads;
    world_call(&(struct call){.kind = kind,
                              .object = kind == CALL_TRANSACT ? &initiator->object : &handler->object,
                              .out = answer ? world.send[i] : NULL,
                              .n = n,
                              .in = world.receive[i],
                              .room = ROOM,
                              .deadline_ns = deadline_ns});
}

static void transact(void)
{
    must(runs(SERVER));
    call_with(CALL_TRANSACT, REQUEST_BYTES, true, DEADLINE_NS);
    must(world.threads[SERVER].waiter.state == THREAD_WAIT_RESPONSE);
}

static void wait_request(void)
{
    must(runs(OTHER));
    call_with(CALL_RESPOND_AND_WAIT, 0, false, TIME_NEVER);
}

static void read_all(void)
{
    must(runs(OTHER));
    call_with(CALL_READ, ROOM, true, TIME_NEVER);
}

static void respond(uint64_t n)
{
    must(runs(OTHER));
    call_with(CALL_RESPOND, n, true, TIME_NEVER);
}

static void simply(enum call_kind kind)
{
    world_call(&(struct call){.kind = kind});
}

static void pass_deadline(void)
{
    world.now_ns = DEADLINE_NS;
    simply(CALL_INTERRUPT);
}

static void start(void)
{
    world_create((const uint8_t[THREADS]){WORLD_ABSENT, WORLD_ABSENT, P, WORLD_ABSENT, P, WORLD_ABSENT, WORLD_ABSENT});
    world_make_remote(1);
    memset(world.send[SERVER], 's', BUFFER_BYTES);
    memset(world.send[OTHER], 'o', BUFFER_BYTES);
}

/* The request is out, and the other has it. */
static void start_with_request(void)
{
    start();
    transact();
    world_deliver();
    read_all();
    must(got(OTHER, STATUS_OK, REQUEST_BYTES) && world.receive[OTHER][REQUEST_BYTES - 1] == 's');
}

Test(endpoint_remote, request_and_response)
{
    start_with_request();
    respond(ROOM + 1);
    must(got(OTHER, STATUS_OUT_OF_RANGE, 0));
    respond(ROOM);
    must(got(OTHER, STATUS_OK, 0) && world.threads[SERVER].waiter.state == THREAD_WAIT_RESPONSE);
    world_deliver();
    must(got(SERVER, STATUS_OK, ROOM) && world.receive[SERVER][ROOM - 1] == 'o' && !world.receive[SERVER][ROOM]);
    must(initiator->object.signals == SIGNAL_WRITEABLE && handler->object.signals == 0);
    respond(1);
    must(got(OTHER, STATUS_UNAVAILABLE, 0));
}

Test(endpoint_remote, the_deadline_takes_the_answer)
{
    start_with_request();
    pass_deadline();
    must(got(SERVER, STATUS_DEADLINE_EXCEEDED, 0) && initiator->unacknowledged);
    respond(5);
    must(got(OTHER, STATUS_UNAVAILABLE, 0) && !world.receive[SERVER][0]);
    world_deliver();
    must(!initiator->unacknowledged && handler->object.signals == 0);
    read_all();
    must(got(OTHER, STATUS_UNAVAILABLE, 0));
}

Test(endpoint_remote, a_cancelled_request_cannot_be_read)
{
    start_with_request();
    pass_deadline();
    read_all();
    must(got(OTHER, STATUS_UNAVAILABLE, 0) && handler->object.signals == 0);
    world_deliver();
    must(!initiator->unacknowledged && handler->reading == READING_NOT_BEGUN);
}

Test(endpoint_remote, a_request_dies_with_its_initiator)
{
    start_with_request();
    world_stop(&world.processes[SERVER_PROCESS]);
    world_deliver();
    must(runs(OTHER) && handler->object.signals == SIGNAL_ERROR && handler->reading == READING_WITHDRAWN);
    read_all();
    must(got(OTHER, STATUS_UNAVAILABLE, 0));
}

Test(endpoint_remote, an_answer_under_way_outlives_the_deadline)
{
    start_with_request();
    respond(5);
    pass_deadline();
    must(world.threads[SERVER].waiter.state == THREAD_WAIT_RESPONSE && runs(OTHER));
    world_deliver();
    must(got(SERVER, STATUS_OK, 5) && world.message_count == 0);
}

Test(endpoint_remote, a_request_is_held_until_the_cancellation_is_answered)
{
    start_with_request();
    pass_deadline();
    simply(CALL_YIELD);
    world.now_ns = 0; /* the same deadline again */
    transact();
    must(initiator->held && world.message_count == 1);
    world_deliver(); /* CANCEL, its echo, and the held REQUEST */
    must(!initiator->held && handler->generation == 2 && handler->object.signals == SIGNAL_READABLE);
    read_all();
    must(got(OTHER, STATUS_UNAVAILABLE, 0)); /* the first was withdrawn */
    read_all();
    must(got(OTHER, STATUS_OK, REQUEST_BYTES));
    respond(1);
    world_deliver();
    must(got(SERVER, STATUS_OK, 1));
}

Test(endpoint_remote, a_held_request_expires_where_it_is)
{
    start_with_request();
    pass_deadline();
    simply(CALL_YIELD);
    world.now_ns = 0;
    transact();
    pass_deadline();
    must(got(SERVER, STATUS_DEADLINE_EXCEEDED, 0) && !initiator->held && world.message_count == 1);
    world_deliver();
    must(handler->generation == 1 && handler->object.signals == 0);
}

/* The cancellation is seen in the claim while the request is copied, before its message comes. */
Test(endpoint_remote, what_is_cancelled_is_not_delivered)
{
    start_with_request();
    pass_deadline();
    wait_request();
    must(world.threads[OTHER].waiter.state == THREAD_WAIT_REQUEST && handler->object.signals == 0 && runs(SERVER));
    world.now_ns = 0;
    transact();
    must(world.idle);
    world_deliver();
    simply(CALL_INTERRUPT);
    must(got(OTHER, STATUS_OK, REQUEST_BYTES));
}

/* The same, and the other gives up before the next request comes: that one it must read before it may answer. */
Test(endpoint_remote, the_next_request_must_be_read)
{
    start_with_request();
    pass_deadline();
    call_with(CALL_RESPOND_AND_WAIT, 0, false, 0);
    must(runs(OTHER) && got(OTHER, STATUS_DEADLINE_EXCEEDED, 0));
    simply(CALL_YIELD);
    world.now_ns = 0;
    transact();
    world_deliver();
    respond(5);
    must(got(OTHER, STATUS_UNAVAILABLE, 0) && world.threads[SERVER].waiter.state == THREAD_WAIT_RESPONSE);
    read_all();
    respond(5);
    must(got(OTHER, STATUS_OK, 0));
}

Test(endpoint_remote, the_handler_dies)
{
    for (int answered = 0; answered < 2; answered++) {
        start_with_request();
        if (answered)
            respond(5);
        simply(CALL_EXIT);
        must(world.idle);
        world_deliver();
        simply(CALL_INTERRUPT);
        must(runs(SERVER) && (answered ? got(SERVER, STATUS_OK, 5) : got(SERVER, STATUS_UNAVAILABLE, 0)));
        must(initiator->object.signals == (SIGNAL_WRITEABLE | SIGNAL_ERROR));
        call_with(CALL_TRANSACT, 1, true, TIME_NEVER);
        must(got(SERVER, STATUS_UNAVAILABLE, 0));
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
        must(waiting ? world.idle : got(OTHER, STATUS_UNAVAILABLE, 0));
        must(!world.receive[SERVER][0]);
        world_deliver();
        if (waiting)
            simply(CALL_INTERRUPT);
        must(runs(OTHER) && handler->object.signals == SIGNAL_ERROR && got(OTHER, STATUS_UNAVAILABLE, 0));
    }
}
