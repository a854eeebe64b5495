/* SPDX-License-Identifier: MIT
 * Steps of a test: calls of the current thread, in short. It sends from its own buffer, receives in its own, and waits
 * for ever unless a deadline is given. What came of it: world_got, world_told. */
#pragma once
#include "tests/unit/ipc/endpoint_world.h"

enum { UNTOUCHED = 0x55 };

/* Every send buffer has bytes of its own; every receive buffer is UNTOUCHED. */
void step_fill(void);

/* Byte `k` of what thread `i` sends after step_fill; for an asynchronous transaction on channel c, thread THREADS + c.
 */
static inline char step_byte(int i, uint64_t k)
{
    return (char)((uint64_t)i * 31 + k + 1);
}

/* The first `n` bytes are what thread `from` sends from `offset` on, and no more were written. */
bool step_received(const char *buffer, int from, uint64_t offset, uint64_t n);

void step_transact(int channel, uint64_t n, uint64_t room, uint64_t deadline_ns);
void step_respond(int channel, uint64_t n);
void step_respond_and_wait(int channel, uint64_t n, uint64_t room, uint64_t deadline_ns);
void step_wait_request(int channel, uint64_t room, uint64_t deadline_ns);
void step_read(int channel, uint64_t offset, uint64_t n);

/* With the channel's buffers for asynchronous transactions. */
void step_async(int channel, uint64_t n, uint64_t room);
void step_complete(int channel);
void step_cancel(int channel);

void step_wait(struct object *o, uint32_t mask, uint64_t deadline_ns);
void step_notify(struct endpoint *e, uint32_t bits);
void step_set_user(struct endpoint *e, bool on);
void step_take(struct endpoint *e, uint64_t deadline_ns);

void step_add(struct wait_group *g, struct object *o, uint32_t mask, uint64_t user_data);
void step_remove(struct wait_group *g, struct object *o);
void step_group_wait(struct wait_group *g, uint64_t deadline_ns);

/* Takes a request; with `answer` true, `n` bytes answer the last one first. */
void step_group_take(struct wait_group *g, bool answer, uint64_t n, uint64_t room, uint64_t deadline_ns);

/* Calls without arguments, or with an object only. */
void step_simply(enum call_kind kind);
void step_to(enum call_kind kind, struct object *o);

/* An interrupt raises signals. */
void step_raise(struct object *o, uint32_t signals);

/* The timer fires at this time. */
void step_at(uint64_t now_ns);

/* Yields until this thread runs. */
void step_until(int thread);
