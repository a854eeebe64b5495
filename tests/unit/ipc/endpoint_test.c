/* SPDX-License-Identifier: MIT
 * Endpoints call by call: lengths, the rules of reading and withdrawing, the end of every wait, the death of either end
 * in every state. The invariants of endpoint_world.c are checked after each call. All threads have one priority unless
 * a test says otherwise, so they run in the order in which they became ready; the client is first. */
#include "tests/unit/ipc/endpoint_world.h"

#include <string.h>

enum { UNTOUCHED = 0x55, P = 7 };

static struct endpoint *const initiator = &world.initiators[0], *const handler = &world.handlers[0];

/* Everything but the named threads' buffers is as world_create leaves it. */
static void start(uint8_t client_2, uint8_t server_2, uint8_t rival)
{
    world_create((const uint8_t[THREADS]){P, client_2, P, server_2, WORLD_ABSENT, rival, WORLD_ABSENT});
    memset(world.receive, UNTOUCHED, sizeof(world.receive));
    for (int i = 0; i < THREADS; i++)
        for (int k = 0; k < BUFFER_BYTES; k++)
            world.send[i][k] = (char)(i * 31 + k + 1);
}

static void start_two(void)
{
    start(WORLD_ABSENT, WORLD_ABSENT, WORLD_ABSENT);
}

static int running(void)
{
    return world.idle ? -1 : (int)(sched_current() - world.threads);
}

static bool got(int i, enum status status, uint64_t value)
{
    const struct result *r = &world.threads[i].result;
    return r->status == status && r->value == value;
}

/* The first `n` bytes of its receive buffer are the other's from `offset`, and no more were written. */
static bool received(int i, int from, uint64_t offset, uint64_t n)
{
    for (uint64_t k = n; k < BUFFER_BYTES; k++)
        if (world.receive[i][k] != UNTOUCHED)
            return false;
    return memcmp(world.receive[i], world.send[from] + offset, n) == 0;
}

static struct call call_of(enum call_kind kind, struct endpoint *e, uint64_t n, uint64_t room)
{
    int i = running();
    must(i >= 0);
    return (struct call){.kind = kind,
                         .object = &e->object,
                         .out = world.send[i],
                         .n = n,
                         .in = world.receive[i],
                         .room = room,
                         .deadline_ns = TIME_NEVER};
}

static void transact_until(uint64_t n, uint64_t room, uint64_t deadline_ns)
{
    struct call c = call_of(CALL_TRANSACT, initiator, n, room);
    c.deadline_ns = deadline_ns;
    world_call(&c);
}

static void transact(uint64_t n, uint64_t room)
{
    transact_until(n, room, TIME_NEVER);
}

static void respond(uint64_t n)
{
    struct call c = call_of(CALL_RESPOND, handler, n, 0);
    world_call(&c);
}

static void respond_and_wait(uint64_t n, uint64_t room)
{
    struct call c = call_of(CALL_RESPOND_AND_WAIT, handler, n, room);
    world_call(&c);
}

static void wait_request_until(uint64_t room, uint64_t deadline_ns)
{
    struct call c = call_of(CALL_RESPOND_AND_WAIT, handler, 0, room);
    c.out = NULL;
    c.deadline_ns = deadline_ns;
    world_call(&c);
}

static void wait_request(uint64_t room)
{
    wait_request_until(room, TIME_NEVER);
}

static void read_at(uint64_t offset, uint64_t n)
{
    struct call c = call_of(CALL_READ, handler, n, 0);
    c.offset = offset;
    world_call(&c);
}

static void wait_for(struct endpoint *e, uint32_t mask, uint64_t deadline_ns)
{
    struct call c = call_of(CALL_WAIT, e, 0, 0);
    c.mask = mask;
    c.deadline_ns = deadline_ns;
    world_call(&c);
}

static void simply(enum call_kind kind)
{
    world_call(&(struct call){.kind = kind});
}

/* The timer fires at this time. */
static void at(uint64_t now_ns)
{
    world.now_ns = now_ns;
    simply(CALL_INTERRUPT);
}

/* The server waits and the client runs. */
static void start_with_server_waiting(uint64_t room)
{
    start_two();
    simply(CALL_YIELD);
    must(running() == SERVER);
    wait_request(room);
    must(running() == CLIENT);
}

/* The client has sent 10 bytes, with 20 bytes of room and this deadline; the server runs and has not read. */
static void start_with_request(uint64_t deadline_ns)
{
    start_two();
    transact_until(10, 20, deadline_ns);
    must(running() == SERVER);
}

static void round_trip(uint64_t request, uint64_t request_room, uint64_t response, uint64_t response_room, bool slow)
{
    start_with_server_waiting(request_room);
    struct call c = call_of(CALL_TRANSACT, initiator, request, response_room);
    c.slow = slow;
    world_call(&c);
    must(running() == SERVER && got(SERVER, STATUS_OK, request));
    must(received(SERVER, CLIENT, 0, request < request_room ? request : request_room));
    c = call_of(CALL_RESPOND_AND_WAIT, handler, response, request_room);
    c.slow = slow;
    world_call(&c);
    if (response > response_room) {
        must(running() == SERVER && got(SERVER, STATUS_OUT_OF_RANGE, 0) && received(CLIENT, SERVER, 0, 0));
        must(handler->object.signals == SIGNAL_READABLE && initiator->caller == &world.threads[CLIENT]);
        c.n = response_room;
        world_call(&c);
    }
    uint64_t length = response < response_room ? response : response_room;
    must(running() == CLIENT && got(CLIENT, STATUS_OK, length) && received(CLIENT, SERVER, 0, length));
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
                must(got(SERVER, STATUS_OUT_OF_RANGE, 0) && received(SERVER, CLIENT, 0, 0));
                continue;
            }
            uint64_t bytes = n < 10 - offset ? n : 10 - offset;
            must(got(SERVER, STATUS_OK, bytes) && received(SERVER, CLIENT, offset, bytes));
        }
    }
    read_at(UINT64_MAX, 1);
    must(got(SERVER, STATUS_OUT_OF_RANGE, 0));
    must(handler->object.signals == SIGNAL_READABLE);
}

Test(endpoint, only_what_was_read_can_be_answered)
{
    start_with_request(TIME_NEVER);
    respond(3);
    must(got(SERVER, STATUS_UNAVAILABLE, 0) && handler->object.signals == SIGNAL_READABLE);
    respond_and_wait(3, 100);
    must(running() == SERVER && got(SERVER, STATUS_UNAVAILABLE, 0));
    read_at(0, 0);
    respond(21);
    must(got(SERVER, STATUS_OUT_OF_RANGE, 0));
    respond(20);
    must(running() == SERVER && got(SERVER, STATUS_OK, 0) && got(CLIENT, STATUS_OK, 20));
    must(world.threads[CLIENT].waiter.state == THREAD_READY && received(CLIENT, SERVER, 0, 20));
    respond(3);
    must(got(SERVER, STATUS_UNAVAILABLE, 0) && received(CLIENT, SERVER, 0, 20));
    read_at(0, 1);
    must(got(SERVER, STATUS_UNAVAILABLE, 0));
}

Test(endpoint, one_transaction_at_a_time)
{
    start(P, WORLD_ABSENT, WORLD_ABSENT);
    transact(10, 20);
    must(running() == CLIENT_2);
    transact(5, 5);
    must(running() == CLIENT_2 && got(CLIENT_2, STATUS_UNAVAILABLE, 0));
    must(initiator->caller == &world.threads[CLIENT] && handler->request_bytes == 10);
}

/* The request that the server has read, or not, passes its deadline at 2000; then the client runs, and the server. */
static void start_with_withdrawal(bool read)
{
    start_with_request(2000);
    if (read) {
        read_at(0, 5);
        must(got(SERVER, STATUS_OK, 5));
        memset(world.receive[SERVER], UNTOUCHED, BUFFER_BYTES);
    }
    at(1999);
    must(world.threads[CLIENT].waiter.state == THREAD_WAIT_RESPONSE);
    at(2000);
    must(running() == SERVER && got(CLIENT, STATUS_DEADLINE_EXCEEDED, 0));
    must(handler->object.signals == 0 && initiator->object.signals == SIGNAL_WRITEABLE);
}

static void next_request(void)
{
    simply(CALL_YIELD);
    must(running() == CLIENT);
    transact(8, 20);
    must(running() == SERVER && handler->object.signals == SIGNAL_READABLE);
}

Test(endpoint, withdrawal_is_told_once)
{
    start_with_withdrawal(true);
    read_at(0, 100);
    must(got(SERVER, STATUS_UNAVAILABLE, 0));
    next_request();
    read_at(0, 100);
    must(got(SERVER, STATUS_OK, 8) && received(SERVER, CLIENT, 0, 8));
}

Test(endpoint, withdrawal_is_told_to_a_read_of_the_next_request)
{
    start_with_withdrawal(true);
    next_request();
    read_at(5, 100);
    must(got(SERVER, STATUS_UNAVAILABLE, 0) && received(SERVER, CLIENT, 0, 0));
    read_at(0, 100);
    must(got(SERVER, STATUS_OK, 8));
    respond(1);
    must(got(SERVER, STATUS_OK, 0) && got(CLIENT, STATUS_OK, 1));
}

Test(endpoint, an_answer_to_the_withdrawn_does_not_reach_the_next)
{
    start_with_withdrawal(true);
    next_request();
    respond_and_wait(4, 100);
    must(running() == SERVER && got(SERVER, STATUS_UNAVAILABLE, 0) && received(CLIENT, SERVER, 0, 0));
    respond(4);
    must(got(SERVER, STATUS_UNAVAILABLE, 0) && received(CLIENT, SERVER, 0, 0));
    read_at(0, 100);
    respond(4);
    must(got(SERVER, STATUS_OK, 0) && got(CLIENT, STATUS_OK, 4) && received(CLIENT, SERVER, 0, 4));
}

Test(endpoint, waiting_forgets_the_withdrawn)
{
    start_with_withdrawal(true);
    next_request();
    wait_request(100);
    must(running() == SERVER && got(SERVER, STATUS_OK, 8) && received(SERVER, CLIENT, 0, 8));
    respond(0);
    must(got(SERVER, STATUS_OK, 0));
}

Test(endpoint, what_was_not_read_is_withdrawn_silently)
{
    start_with_withdrawal(false);
    next_request();
    read_at(0, 100);
    must(got(SERVER, STATUS_OK, 8));
}

Test(endpoint, an_answer_begun_late_says_so)
{
    start_with_withdrawal(true);
    respond(4);
    must(got(SERVER, STATUS_UNAVAILABLE, 0) && received(CLIENT, SERVER, 0, 0));
    must(handler->reading == READING_NOT_BEGUN);
}

Test(endpoint, every_wait_expires)
{
    start_two();
    transact_until(10, 20, 3000);
    wait_for(handler, SIGNAL_ERROR, 2000);
    must(world.idle);
    at(1999);
    must(world.idle);
    at(2000);
    must(running() == SERVER && got(SERVER, STATUS_DEADLINE_EXCEEDED, 0) && !handler->object.waiters);
    at(3000);
    must(got(CLIENT, STATUS_DEADLINE_EXCEEDED, 0) && !initiator->caller);
    wait_request_until(100, 4000);
    must(running() == CLIENT);
    at(4000);
    must(got(SERVER, STATUS_DEADLINE_EXCEEDED, 0) && !handler->object.waiters && received(SERVER, CLIENT, 0, 0));
}

Test(endpoint, a_past_deadline_only_looks)
{
    start_two();
    for (uint64_t deadline_ns = 0; deadline_ns <= world.now_ns; deadline_ns += 500) {
        transact_until(10, 20, deadline_ns);
        must(running() == CLIENT && got(CLIENT, STATUS_DEADLINE_EXCEEDED, 0));
        must(initiator->object.signals == SIGNAL_WRITEABLE && handler->object.signals == 0);
        wait_for(initiator, SIGNAL_ERROR, deadline_ns);
        must(running() == CLIENT && got(CLIENT, STATUS_DEADLINE_EXCEEDED, 0));
        wait_for(initiator, SIGNAL_ERROR | SIGNAL_WRITEABLE, deadline_ns);
        must(running() == CLIENT && got(CLIENT, STATUS_OK, SIGNAL_WRITEABLE));
    }
    transact(10, 20);
    wait_request_until(100, 0);
    must(running() == SERVER && got(SERVER, STATUS_OK, 10));
    struct call c = call_of(CALL_RESPOND_AND_WAIT, handler, 6, 100);
    c.deadline_ns = 0;
    world_call(&c);
    must(running() == SERVER && got(SERVER, STATUS_DEADLINE_EXCEEDED, 0) && got(CLIENT, STATUS_OK, 6));
}

Test(endpoint, the_mask_must_mean_something)
{
    start_two();
    wait_for(initiator, 0, TIME_NEVER);
    must(got(CLIENT, STATUS_INVALID_ARGUMENT, 0));
    wait_for(initiator, SIGNAL_WRITEABLE | 1u << 4, TIME_NEVER);
    must(got(CLIENT, STATUS_INVALID_ARGUMENT, 0));
}

Test(endpoint, a_response_wakes_who_waits_for_writeable)
{
    start(P, WORLD_ABSENT, WORLD_ABSENT);
    transact(10, 20);
    wait_for(initiator, SIGNAL_WRITEABLE, TIME_NEVER);
    must(running() == SERVER);
    read_at(0, 10);
    respond_and_wait(2, 100);
    must(got(CLIENT, STATUS_OK, 2) && got(CLIENT_2, STATUS_OK, SIGNAL_WRITEABLE) && !initiator->object.waiters);
}

Test(endpoint, a_signal_wakes_only_who_waits_for_it)
{
    start(P, WORLD_ABSENT, WORLD_ABSENT);
    wait_for(initiator, SIGNAL_ERROR, TIME_NEVER);
    must(running() == CLIENT_2);
    transact(10, 20);
    read_at(0, 10);
    respond(2);
    must(got(CLIENT_2, STATUS_OK, 2) && world.threads[CLIENT].waiter.state == THREAD_WAIT_SIGNALS);
    simply(CALL_EXIT);
    must(got(CLIENT, STATUS_OK, SIGNAL_WRITEABLE | SIGNAL_ERROR) && !initiator->object.waiters);
}

/* A handoff goes past the run queue only if nobody in it is as urgent. */
Test(endpoint, an_equal_rival_goes_first)
{
    for (uint8_t rival = P - 1; rival <= P; rival++) {
        start(WORLD_ABSENT, WORLD_ABSENT, rival);
        simply(CALL_YIELD);
        wait_request(100);
        while (running() != CLIENT)
            simply(CALL_YIELD);
        uint64_t handoffs = world_handoffs;
        transact(1, 1);
        must(running() == (rival == P ? RIVAL : SERVER) && world_handoffs == handoffs + (rival < P));
        must(got(SERVER, STATUS_OK, 1));
    }
}

Test(endpoint, the_server_stops_in_every_state)
{
    for (int state = 0; state < 5; state++) {
        if (state == 0) { /* nothing under way, the client waits for the server's death */
            start_two();
            wait_for(initiator, SIGNAL_ERROR, TIME_NEVER);
        } else if (state == 4) {
            start_with_withdrawal(true);
        } else {
            start_with_request(state == 1 ? TIME_NEVER : 5000);
        }
        if (state == 3)
            read_at(0, 3);
        must(running() == SERVER);
        simply(CALL_EXIT);
        must(running() == CLIENT && !initiator->caller);
        must(initiator->object.signals == (SIGNAL_WRITEABLE | SIGNAL_ERROR));
        must(state ? got(CLIENT, state < 4 ? STATUS_UNAVAILABLE : STATUS_DEADLINE_EXCEEDED, 0)
                   : got(CLIENT, STATUS_OK, SIGNAL_WRITEABLE | SIGNAL_ERROR));
        transact(1, 1);
        must(running() == CLIENT && got(CLIENT, STATUS_UNAVAILABLE, 0));
    }
}

Test(endpoint, a_waiting_server_stops)
{
    for (int requests = 0; requests < 2; requests++) {
        start_two();
        simply(CALL_YIELD);
        if (requests)
            wait_request(100);
        else
            wait_for(handler, SIGNAL_READABLE, 5000);
        world_stop(&world.processes[SERVER_PROCESS]);
        world_check();
        transact(1, 1);
        must(running() == CLIENT && got(CLIENT, STATUS_UNAVAILABLE, 0));
    }
}

Test(endpoint, the_client_stops_while_the_server_waits)
{
    for (int requests = 0; requests < 2; requests++) {
        start_two();
        simply(CALL_YIELD);
        if (requests)
            wait_request(100);
        else
            wait_for(handler, SIGNAL_READABLE | SIGNAL_ERROR, 5000);
        simply(CALL_EXIT);
        must(running() == SERVER && handler->object.signals == SIGNAL_ERROR);
        must(requests ? got(SERVER, STATUS_UNAVAILABLE, 0) : got(SERVER, STATUS_OK, SIGNAL_ERROR));
        wait_request(100);
        must(running() == SERVER && got(SERVER, STATUS_UNAVAILABLE, 0));
    }
}

Test(endpoint, the_client_stops_in_its_transaction)
{
    for (int reading = 0; reading < 2; reading++) {
        start_with_request(5000);
        if (reading)
            read_at(0, 3);
        world_stop(&world.processes[CLIENT_PROCESS]);
        world_check();
        must(running() == SERVER && handler->object.signals == SIGNAL_ERROR);
        respond(3);
        must(got(SERVER, STATUS_UNAVAILABLE, 0) && received(CLIENT, SERVER, 0, 0));
        read_at(0, 3);
        must(got(SERVER, STATUS_UNAVAILABLE, 0));
        respond_and_wait(3, 100);
        must(running() == SERVER && got(SERVER, STATUS_UNAVAILABLE, 0));
        simply(CALL_EXIT);
        must(world.idle);
    }
}
