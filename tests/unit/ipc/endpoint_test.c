/* SPDX-License-Identifier: MIT
 * Endpoints call by call: lengths, the rules of reading and withdrawing, the end of every wait. The invariants of
 * endpoint_check.c are checked after each call. All threads have one priority unless a test says otherwise, so they run
 * in the order in which they became ready; the client is first. */
#include "tests/unit/ipc/endpoint_steps.h"

#include <string.h>

enum { P = 7 };

static struct endpoint *const initiator = &world.initiators[0], *const handler = &world.handlers[0];

/* Everything but the named threads' buffers is as world_create leaves it. */
static void start(uint8_t client_2, uint8_t server_2, uint8_t rival)
{
    world_create((const uint8_t[THREADS]){P, client_2, P, server_2, WORLD_ABSENT, rival, WORLD_ABSENT});
    step_fill();
}

static void start_two(void)
{
    start(WORLD_ABSENT, WORLD_ABSENT, WORLD_ABSENT);
}

static bool received(int i, int from, uint64_t offset, uint64_t n)
{
    return step_received(world.receive[i], from, offset, n);
}

static void transact(uint64_t n, uint64_t room)
{
    step_transact(0, n, room, TIME_NEVER);
}

static void respond(uint64_t n)
{
    step_respond(0, n);
}

static void respond_and_wait(uint64_t n, uint64_t room)
{
    step_respond_and_wait(0, n, room, TIME_NEVER);
}

static void wait_request(uint64_t room)
{
    step_wait_request(0, room, TIME_NEVER);
}

static void read_at(uint64_t offset, uint64_t n)
{
    step_read(0, offset, n);
}

static void wait_for(struct endpoint *e, uint32_t mask, uint64_t deadline_ns)
{
    step_wait(&e->object, mask, deadline_ns);
}

/* The server waits and the client runs. */
static void start_with_server_waiting(uint64_t room)
{
    start_two();
    step_simply(CALL_YIELD);
    must(world_running() == SERVER);
    wait_request(room);
    must(world_running() == CLIENT);
}

/* The client has sent 10 bytes, with 20 bytes of room and this deadline; the server runs and has not read. */
static void start_with_request(uint64_t deadline_ns)
{
    start_two();
    step_transact(0, 10, 20, deadline_ns);
    must(world_running() == SERVER);
}

static void round_trip(uint64_t request, uint64_t request_room, uint64_t response, uint64_t response_room, bool slow)
{
    start_with_server_waiting(request_room);
    struct call c = world_call_of(CALL_TRANSACT, &initiator->object, request, response_room);
    c.slow = slow;
    world_call(&c);
    must(world_running() == SERVER && world_got(SERVER, STATUS_OK, request));
    must(received(SERVER, CLIENT, 0, request < request_room ? request : request_room));
    c = world_call_of(CALL_RESPOND_AND_WAIT, &handler->object, response, request_room);
    c.slow = slow;
    world_call(&c);
    if (response > response_room) {
        must(world_running() == SERVER && world_got(SERVER, STATUS_OUT_OF_RANGE, 0) && received(CLIENT, SERVER, 0, 0));
        must(handler->object.signals == SIGNAL_READABLE && initiator->caller == &world.threads[CLIENT]);
        c.n = response_room;
        world_call(&c);
    }
    uint64_t length = response < response_room ? response : response_room;
    must(world_running() == CLIENT && world_got(CLIENT, STATUS_OK, length) && received(CLIENT, SERVER, 0, length));
    must(initiator->object.signals == SIGNAL_WRITEABLE && handler->object.signals == 0);
    must(world.threads[SERVER].waiter.state == THREAD_WAIT_REQUEST);
}

Test(endpoint, every_length_into_every_room, .timeout = 60)
{
    static const uint64_t rooms[] = {0, 1, 7, 8, 33, 64, 65, 100};
    for (uint64_t n = 0; n <= 100; n++) {
        for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
            for (int slow = 0; slow < 2; slow++) {
                round_trip(n, rooms[i], 100 - n, 100, slow);
                round_trip(100 - n, 100, n, rooms[i], slow);
            }
        }
    }
    must(world_handoffs > 0);
}

Test(endpoint, read_takes_any_part)
{
    start_with_request(TIME_NEVER);
    for (uint64_t offset = 0; offset <= 12; offset++) {
        for (uint64_t n = 0; n <= 12; n++) {
            memset(world.receive[SERVER], UNTOUCHED, BUFFER_BYTES);
            read_at(offset, n);
            if (offset > 10) {
                must(world_got(SERVER, STATUS_OUT_OF_RANGE, 0) && received(SERVER, CLIENT, 0, 0));
                continue;
            }
            uint64_t bytes = n < 10 - offset ? n : 10 - offset;
            must(world_got(SERVER, STATUS_OK, bytes) && received(SERVER, CLIENT, offset, bytes));
        }
    }
    read_at(UINT64_MAX, 1);
    must(world_got(SERVER, STATUS_OUT_OF_RANGE, 0));
    must(handler->object.signals == SIGNAL_READABLE);
}

Test(endpoint, only_what_was_read_can_be_answered)
{
    start_with_request(TIME_NEVER);
    respond(3);
    must(world_got(SERVER, STATUS_UNAVAILABLE, 0) && handler->object.signals == SIGNAL_READABLE);
    respond_and_wait(3, 100);
    must(world_running() == SERVER && world_got(SERVER, STATUS_UNAVAILABLE, 0));
    read_at(0, 0);
    respond(21);
    must(world_got(SERVER, STATUS_OUT_OF_RANGE, 0));
    respond(20);
    must(world_running() == SERVER && world_got(SERVER, STATUS_OK, 0) && world_got(CLIENT, STATUS_OK, 20));
    must(world.threads[CLIENT].waiter.state == THREAD_READY && received(CLIENT, SERVER, 0, 20));
    respond(3);
    must(world_got(SERVER, STATUS_UNAVAILABLE, 0) && received(CLIENT, SERVER, 0, 20));
    read_at(0, 1);
    must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
}

Test(endpoint, one_transaction_at_a_time)
{
    start(P, WORLD_ABSENT, WORLD_ABSENT);
    transact(10, 20);
    must(world_running() == CLIENT_2);
    transact(5, 5);
    must(world_running() == CLIENT_2 && world_got(CLIENT_2, STATUS_FAILED_PRECONDITION, 0));
    must(initiator->caller == &world.threads[CLIENT] && handler->request_bytes == 10);
}

/* The request that the server has read, or not, passes its deadline at 2000; then the client runs, and the server. */
static void start_with_withdrawal(bool read)
{
    start_with_request(2000);
    if (read) {
        read_at(0, 5);
        must(world_got(SERVER, STATUS_OK, 5));
        memset(world.receive[SERVER], UNTOUCHED, BUFFER_BYTES);
    }
    step_at(1999);
    must(world.threads[CLIENT].waiter.state == THREAD_WAIT_RESPONSE);
    step_at(2000);
    must(world_running() == SERVER && world_got(CLIENT, STATUS_DEADLINE_EXCEEDED, 0));
    must(handler->object.signals == 0 && initiator->object.signals == SIGNAL_WRITEABLE);
}

static void next_request(void)
{
    step_simply(CALL_YIELD);
    must(world_running() == CLIENT);
    transact(8, 20);
    must(world_running() == SERVER && handler->object.signals == SIGNAL_READABLE);
}

Test(endpoint, withdrawal_is_told_once)
{
    start_with_withdrawal(true);
    read_at(0, 100);
    must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
    next_request();
    read_at(0, 100);
    must(world_got(SERVER, STATUS_OK, 8) && received(SERVER, CLIENT, 0, 8));
}

Test(endpoint, withdrawal_is_told_to_a_read_of_the_next_request)
{
    start_with_withdrawal(true);
    next_request();
    read_at(5, 100);
    must(world_got(SERVER, STATUS_UNAVAILABLE, 0) && received(SERVER, CLIENT, 0, 0));
    read_at(0, 100);
    must(world_got(SERVER, STATUS_OK, 8));
    respond(1);
    must(world_got(SERVER, STATUS_OK, 0) && world_got(CLIENT, STATUS_OK, 1));
}

Test(endpoint, an_answer_to_the_withdrawn_does_not_reach_the_next)
{
    start_with_withdrawal(true);
    next_request();
    respond_and_wait(4, 100);
    must(world_running() == SERVER && world_got(SERVER, STATUS_UNAVAILABLE, 0) && received(CLIENT, SERVER, 0, 0));
    respond(4);
    must(world_got(SERVER, STATUS_UNAVAILABLE, 0) && received(CLIENT, SERVER, 0, 0));
    read_at(0, 100);
    respond(4);
    must(world_got(SERVER, STATUS_OK, 0) && world_got(CLIENT, STATUS_OK, 4) && received(CLIENT, SERVER, 0, 4));
}

Test(endpoint, waiting_forgets_the_withdrawn)
{
    start_with_withdrawal(true);
    next_request();
    wait_request(100);
    must(world_running() == SERVER && world_got(SERVER, STATUS_OK, 8) && received(SERVER, CLIENT, 0, 8));
    respond(0);
    must(world_got(SERVER, STATUS_OK, 0));
}

Test(endpoint, what_was_not_read_is_withdrawn_silently)
{
    start_with_withdrawal(false);
    next_request();
    read_at(0, 100);
    must(world_got(SERVER, STATUS_OK, 8));
}

Test(endpoint, an_answer_begun_late_says_so)
{
    start_with_withdrawal(true);
    respond(4);
    must(world_got(SERVER, STATUS_UNAVAILABLE, 0) && received(CLIENT, SERVER, 0, 0));
    must(handler->reading == READING_NOT_BEGUN);
}

Test(endpoint, every_wait_expires)
{
    start_two();
    step_transact(0, 10, 20, 3000);
    wait_for(handler, SIGNAL_ERROR, 2000);
    must(world.idle);
    step_at(1999);
    must(world.idle);
    step_at(2000);
    must(world_running() == SERVER && world_got(SERVER, STATUS_DEADLINE_EXCEEDED, 0) && !handler->object.waiters);
    step_at(3000);
    must(world_got(CLIENT, STATUS_DEADLINE_EXCEEDED, 0) && !initiator->caller);
    step_wait_request(0, 100, 4000);
    must(world_running() == CLIENT);
    step_at(4000);
    must(world_got(SERVER, STATUS_DEADLINE_EXCEEDED, 0) && !handler->object.waiters && received(SERVER, CLIENT, 0, 0));
}

Test(endpoint, a_past_deadline_only_looks)
{
    start_two();
    for (uint64_t deadline_ns = 0; deadline_ns <= world.now_ns; deadline_ns += 500) {
        step_transact(0, 10, 20, deadline_ns);
        must(world_running() == CLIENT && world_got(CLIENT, STATUS_DEADLINE_EXCEEDED, 0));
        must(initiator->object.signals == SIGNAL_WRITEABLE && handler->object.signals == 0);
        wait_for(initiator, SIGNAL_ERROR, deadline_ns);
        must(world_running() == CLIENT && world_got(CLIENT, STATUS_DEADLINE_EXCEEDED, 0));
        wait_for(initiator, SIGNAL_ERROR | SIGNAL_WRITEABLE, deadline_ns);
        must(world_running() == CLIENT && world_told(CLIENT, SIGNAL_WRITEABLE, 0));
    }
    transact(10, 20);
    step_wait_request(0, 100, 0);
    must(world_running() == SERVER && world_got(SERVER, STATUS_OK, 10));
    struct call c = world_call_of(CALL_RESPOND_AND_WAIT, &handler->object, 6, 100);
    c.deadline_ns = 0;
    world_call(&c);
    must(world_running() == SERVER && world_got(SERVER, STATUS_DEADLINE_EXCEEDED, 0) &&
         world_got(CLIENT, STATUS_OK, 6));
}

Test(endpoint, the_mask_must_mean_something)
{
    start_two();
    wait_for(initiator, 0, TIME_NEVER);
    must(world_got(CLIENT, STATUS_INVALID_ARGUMENT, 0));
    wait_for(initiator, SIGNAL_WRITEABLE | 1u << 4, TIME_NEVER);
    must(world_got(CLIENT, STATUS_INVALID_ARGUMENT, 0));
}

Test(endpoint, a_response_wakes_who_waits_for_writeable)
{
    start(P, WORLD_ABSENT, WORLD_ABSENT);
    transact(10, 20);
    wait_for(initiator, SIGNAL_WRITEABLE, TIME_NEVER);
    must(world_running() == SERVER);
    read_at(0, 10);
    respond_and_wait(2, 100);
    must(world_got(CLIENT, STATUS_OK, 2) && world_told(CLIENT_2, SIGNAL_WRITEABLE, 0) && !initiator->object.waiters);
}

Test(endpoint, a_signal_wakes_only_who_waits_for_it)
{
    start(P, WORLD_ABSENT, WORLD_ABSENT);
    wait_for(initiator, SIGNAL_ERROR, TIME_NEVER);
    must(world_running() == CLIENT_2);
    transact(10, 20);
    read_at(0, 10);
    respond(2);
    must(world_got(CLIENT_2, STATUS_OK, 2) && world.threads[CLIENT].waiter.state == THREAD_WAIT_SIGNALS);
    step_simply(CALL_EXIT);
    must(world_told(CLIENT, SIGNAL_ERROR, 0) && !initiator->object.waiters);
}

/* A handoff goes past the run queue only if nobody in it is as urgent. */
Test(endpoint, an_equal_rival_goes_first)
{
    for (uint8_t rival = P - 1; rival <= P; rival++) {
        start(WORLD_ABSENT, WORLD_ABSENT, rival);
        step_simply(CALL_YIELD);
        wait_request(100);
        while (world_running() != CLIENT)
            step_simply(CALL_YIELD);
        uint64_t handoffs = world_handoffs;
        transact(1, 1);
        must(world_running() == (rival == P ? RIVAL : SERVER) && world_handoffs == handoffs + (rival < P));
        must(world_got(SERVER, STATUS_OK, 1));
    }
}
