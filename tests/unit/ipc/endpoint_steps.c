/* SPDX-License-Identifier: MIT
 * Each step is one call in the world. */
#include "tests/unit/ipc/endpoint_steps.h"

#include <string.h>

void step_fill(void)
{
    memset(world.receive, UNTOUCHED, sizeof(world.receive));
    memset(world.async_receive, UNTOUCHED, sizeof(world.async_receive));
    for (uint64_t k = 0; k < BUFFER_BYTES; k++) {
        for (int i = 0; i < THREADS; i++)
            world.send[i][k] = step_byte(i, k);
        for (int i = 0; i < CHANNELS; i++)
            world.async_send[i][k] = step_byte(THREADS + i, k);
    }
}

bool step_received(const char *buffer, int from, uint64_t offset, uint64_t n)
{
    for (uint64_t k = 0; k < BUFFER_BYTES; k++)
        if (buffer[k] != (k < n ? step_byte(from, offset + k) : UNTOUCHED))
            return false;
    return true;
}

void step_transact(int channel, uint64_t n, uint64_t room, uint64_t deadline_ns)
{
    struct call c = world_call_of(CALL_TRANSACT, &world.initiators[channel].object, n, room);
    c.deadline_ns = deadline_ns;
    world_call(&c);
}

void step_respond(int channel, uint64_t n)
{
    struct call c = world_call_of(CALL_RESPOND, &world.handlers[channel].object, n, 0);
    world_call(&c);
}

void step_respond_and_wait(int channel, uint64_t n, uint64_t room, uint64_t deadline_ns)
{
    struct call c = world_call_of(CALL_RESPOND_AND_WAIT, &world.handlers[channel].object, n, room);
    c.deadline_ns = deadline_ns;
    world_call(&c);
}

void step_wait_request(int channel, uint64_t room, uint64_t deadline_ns)
{
    struct call c = world_call_of(CALL_RESPOND_AND_WAIT, &world.handlers[channel].object, 0, room);
    c.out = NULL;
    c.deadline_ns = deadline_ns;
    world_call(&c);
}

void step_read(int channel, uint64_t offset, uint64_t n)
{
    struct call c = world_call_of(CALL_READ, &world.handlers[channel].object, n, n);
    c.offset = offset;
    world_call(&c);
}

void step_async(int channel, uint64_t n, uint64_t room)
{
    struct call c = world_call_of(CALL_ASYNC_TRANSACT, &world.initiators[channel].object, n, room);
    c.out = world.async_send[channel];
    c.in = world.async_receive[channel];
    world_call(&c);
}

void step_complete(int channel)
{
    step_to(CALL_ASYNC_COMPLETE, &world.initiators[channel].object);
}

void step_cancel(int channel)
{
    step_to(CALL_ASYNC_CANCEL, &world.initiators[channel].object);
}

void step_wait(struct object *o, uint32_t mask, uint64_t deadline_ns)
{
    struct call c = world_call_of(CALL_WAIT, o, 0, 0);
    c.mask = mask;
    c.deadline_ns = deadline_ns;
    world_call(&c);
}

void step_notify(struct endpoint *e, uint32_t bits)
{
    struct call c = world_call_of(CALL_NOTIFY, &e->object, 0, 0);
    c.mask = bits;
    world_call(&c);
}

void step_set_user(struct endpoint *e, bool on)
{
    struct call c = world_call_of(CALL_SET_PEER_USER, &e->object, 0, 0);
    c.value = on;
    world_call(&c);
}

void step_take(struct endpoint *e, uint64_t deadline_ns)
{
    struct call c = world_call_of(CALL_TAKE, &e->object, 0, 0);
    c.deadline_ns = deadline_ns;
    world_call(&c);
}

void step_add(struct wait_group *g, struct object *o, uint32_t mask, uint64_t user_data)
{
    struct call c = world_call_of(CALL_GROUP_ADD, &g->object, 0, 0);
    c.other = o;
    c.mask = mask;
    c.value = user_data;
    world_call(&c);
}

void step_remove(struct wait_group *g, struct object *o)
{
    struct call c = world_call_of(CALL_GROUP_REMOVE, &g->object, 0, 0);
    c.other = o;
    world_call(&c);
}

void step_group_wait(struct wait_group *g, uint64_t deadline_ns)
{
    step_wait(&g->object, SIGNAL_READABLE, deadline_ns);
}

void step_group_take(struct wait_group *g, bool answer, uint64_t n, uint64_t room, uint64_t deadline_ns)
{
    struct call c = world_call_of(CALL_RESPOND_AND_WAIT, &g->object, n, room);
    c.out = answer ? c.out : NULL;
    c.deadline_ns = deadline_ns;
    world_call(&c);
}

void step_simply(enum call_kind kind)
{
    world_call(&(struct call){.kind = kind});
}

void step_to(enum call_kind kind, struct object *o)
{
    world_call(&(struct call){.kind = kind, .object = o});
}

void step_raise(struct object *o, uint32_t signals)
{
    world_call(&(struct call){.kind = CALL_RAISE, .object = o, .mask = signals});
}

void step_at(uint64_t now_ns)
{
    world.now_ns = now_ns;
    step_simply(CALL_INTERRUPT);
}

void step_until(int thread)
{
    for (int i = 0; world_running() != thread; i++) {
        must(i < THREADS);
        step_simply(CALL_YIELD);
    }
}
