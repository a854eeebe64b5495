/* SPDX-License-Identifier: MIT
 * Transactions whose buffers are in pieces, on any side: the request, what reads it, the answer, what it is read into.
 * The outcome is that of flat buffers, and nothing outside the pieces is written. */
#include "tests/unit/ipc/endpoint_steps.h"

#include <string.h>

enum { P = 7, N = 30, ROOM = 40, ROUNDS = 300 };

static struct endpoint *const initiator = &world.initiators[0], *const handler = &world.handlers[0];

/* Where the pieces are: a buffer each, with bytes between them that must not be touched. */
static char memory[4][4 * BUFFER_BYTES];
static struct pieces shape[4]; /* of request, reader, answer, receiver */
enum { REQUEST, READER, ANSWER, RECEIVER };

/* Cuts a buffer of this size into random pieces, some of them empty, apart from each other. */
static void cut(int which, uint64_t bytes)
{
    struct pieces *p = &shape[which];
    memset(memory[which], UNTOUCHED, sizeof(memory[which]));
    *p = (struct pieces){.total = bytes, .count = 1 + world_random(PIECES_MAX)};
    char *at = memory[which] + world_random(5);
    for (uint32_t i = 0; i < p->count; i++) {
        uint64_t n = i + 1 == p->count ? bytes : world_random((uint32_t)bytes + 1);
        p->piece[i] = (struct piece){at, n};
        at += n + 1 + world_random(5);
        bytes -= n;
    }
}

static void put(const struct pieces *p, int thread)
{
    struct pieces from = pieces_of(world.send[thread], p->total);
    pieces_copy(p, &from, 0, p->total);
}

/* The first `n` bytes are the thread's from `offset`; whatever else there is in that memory is untouched. */
static bool has(int which, int thread, uint64_t offset, uint64_t n)
{
    char found[BUFFER_BYTES];
    struct pieces to = pieces_of(found, shape[which].total), rest = to;
    memset(found, UNTOUCHED, sizeof(found));
    pieces_copy(&to, &shape[which], 0, shape[which].total);
    bool right = step_received(found, thread, offset, n);
    memset(found, UNTOUCHED, sizeof(found));
    pieces_copy(&shape[which], &rest, 0, shape[which].total);
    for (size_t i = 0; i < sizeof(memory[which]); i++)
        right = right && memory[which][i] == UNTOUCHED;
    return right;
}

static void on(int thread)
{
    world_on(world.threads[thread].process->cpu);
    step_until(thread);
}

static void start(uint8_t cpu)
{
    world_create_on((const uint8_t[THREADS]){P, WORLD_ABSENT, P, WORLD_ABSENT, P, WORLD_ABSENT, WORLD_ABSENT},
                    (const uint8_t[PROCESSES]){[SERVER_PROCESS] = cpu});
    step_fill();
    cut(REQUEST, N);
    put(&shape[REQUEST], CLIENT);
    cut(READER, ROOM);
    cut(ANSWER, N);
    put(&shape[ANSWER], SERVER);
    cut(RECEIVER, ROOM);
}

/* `in_pieces`: bit 0 what is sent, bit 1 where it is received. */
static void ask(enum call_kind kind, uint32_t in_pieces)
{
    on(CLIENT);
    struct call c = world_call_of(kind, &initiator->object, N, ROOM);
    c.out_pieces = in_pieces & 1 ? &shape[REQUEST] : NULL;
    c.in_pieces = in_pieces & 2 ? &shape[RECEIVER] : NULL;
    world_call(&c);
    /* What the call was given is the kernel's to forget: the process may write there what it likes. */
    struct pieces request = shape[REQUEST], receiver = shape[RECEIVER];
    memset(&shape[REQUEST], 0xff, sizeof(shape[REQUEST]));
    memset(&shape[RECEIVER], 0xff, sizeof(shape[RECEIVER]));
    world_deliver();
    shape[REQUEST] = request;
    shape[RECEIVER] = receiver;
}

static void answer(bool in_pieces, uint64_t n)
{
    on(SERVER);
    struct call c = world_call_of(CALL_RESPOND, &handler->object, n, 0);
    c.out_pieces = in_pieces ? &shape[ANSWER] : NULL;
    world_call(&c);
    must(world_got(SERVER, STATUS_OK, 0));
    world_deliver();
}

static void read_part(bool in_pieces, uint64_t offset)
{
    uint64_t n = offset > N ? 0 : N - offset;
    on(SERVER);
    struct call c = world_call_of(CALL_READ, &handler->object, ROOM, ROOM);
    c.offset = offset;
    c.in_pieces = in_pieces ? &shape[READER] : NULL;
    world_call(&c);
    must(world_got(SERVER, offset > N ? STATUS_OUT_OF_RANGE : STATUS_OK, n));
    must(in_pieces ? has(READER, CLIENT, offset, n) : step_received(world.receive[SERVER], CLIENT, offset, n));
    memset(world.receive[SERVER], UNTOUCHED, BUFFER_BYTES);
}

/* Bits 0 and 1: ask; 2: read; 3: answer; 4: two CPUs; 5: asynchronous. */
static void round_trip(uint32_t shapes)
{
    bool async = shapes & 32;
    start(shapes >> 4 & 1);
    ask(async ? CALL_ASYNC_TRANSACT : CALL_TRANSACT, shapes);
    must(!async || world_got(CLIENT, STATUS_OK, 0));
    read_part(shapes & 4, world_random(N + 2));
    read_part(shapes & 4, 0);
    answer(shapes & 8, N);
    on(CLIENT);
    if (async)
        step_complete(0);
    must(world_got(CLIENT, STATUS_OK, N));
    must(shapes & 2 ? has(RECEIVER, SERVER, 0, N) : step_received(world.receive[CLIENT], SERVER, 0, N));
}

Test(endpoint_pieces, flat_or_in_pieces_on_either_side, .timeout = 60)
{
    for (int round = 0; round < ROUNDS; round++)
        for (uint32_t shapes = 0; shapes<64; shapes += round> 10 ? 1 + world_random(4) : 1)
            round_trip(shapes);
}

/* The request goes straight into the buffer of channel_respond_and_wait, as much of it as there is room for. */
Test(endpoint_pieces, a_waiting_server_gets_it_flat)
{
    for (uint32_t shapes = 0; shapes < 64; shapes++) {
        uint64_t room = shapes & 8 ? 100 : 7;
        start(shapes & 1);
        on(SERVER);
        if (shapes & 4)
            step_add(&world.groups[SERVER_PROCESS], &handler->object, SIGNAL_READABLE, 5);
        if (shapes & 2)
            step_wait_request(0, room, TIME_NEVER);
        ask(CALL_TRANSACT, shapes >> 4);
        on(SERVER);
        if (shapes & 2)
            must(world_got(SERVER, STATUS_OK, N));
        else if (shapes & 4)
            step_group_take(&world.groups[SERVER_PROCESS], false, 0, room, TIME_NEVER);
        else
            step_wait_request(0, room, TIME_NEVER);
        must((shapes & 6) == 4 ? world_told(SERVER, RESULT_REQUEST | N, 5) : world_got(SERVER, STATUS_OK, N));
        must(step_received(world.receive[SERVER], CLIENT, 0, room < N ? room : N));
        if ((shapes & 6) == 4)
            step_group_take(&world.groups[SERVER_PROCESS], true, 11, room, TIME_NEVER);
        else
            step_respond_and_wait(0, 11, room, TIME_NEVER);
        world_deliver();
        must(world_got(CLIENT, STATUS_OK, 11));
        must(shapes & 32 ? has(RECEIVER, SERVER, 0, 11) : step_received(world.receive[CLIENT], SERVER, 0, 11));
    }
}

Test(endpoint_pieces, what_does_not_fit_is_refused)
{
    for (uint32_t shapes = 0; shapes < 16; shapes++) {
        start(shapes & 1);
        cut(RECEIVER, N - 1);
        on(CLIENT);
        struct call c = world_call_of(CALL_TRANSACT, &initiator->object, N, N - 1);
        c.in_pieces = shapes & 2 ? &shape[RECEIVER] : NULL;
        world_call(&c);
        world_deliver();
        read_part(shapes & 4, 0);
        c = world_call_of(CALL_RESPOND, &handler->object, N, 0);
        c.out_pieces = shapes & 8 ? &shape[ANSWER] : NULL;
        world_call(&c);
        must(world_got(SERVER, STATUS_OUT_OF_RANGE, 0) && handler->object.signals == SIGNAL_READABLE);
        answer(false, N - 1);
        must(world_got(CLIENT, STATUS_OK, N - 1));
        must(shapes & 2 ? has(RECEIVER, SERVER, 0, N - 1) : step_received(world.receive[CLIENT], SERVER, 0, N - 1));
    }
}

Test(endpoint_pieces, what_is_over_is_not_written)
{
    for (uint32_t shapes = 0; shapes < 32; shapes++) {
        start(shapes & 1);
        on(CLIENT);
        struct call c = world_call_of(CALL_TRANSACT, &initiator->object, N, ROOM);
        c.in_pieces = &shape[RECEIVER];
        c.deadline_ns = 2000;
        world_call(&c);
        world_deliver();
        read_part(shapes & 2, 0);
        world_on(0);
        if (shapes & 4)
            world_stop(&world.processes[CLIENT_PROCESS]);
        else
            step_at(2000);
        if (shapes & 8)
            world_deliver();
        on(SERVER);
        c = world_call_of(CALL_RESPOND, &handler->object, N, 0);
        c.out_pieces = shapes & 16 ? &shape[ANSWER] : NULL;
        world_call(&c);
        must(world_got(SERVER, STATUS_UNAVAILABLE, 0) && has(RECEIVER, SERVER, 0, 0));
    }
}
