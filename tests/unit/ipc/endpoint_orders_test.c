/* SPDX-License-Identifier: MIT
 * Every order of what two CPUs do to one channel: calls, a deadline, deaths and restarts, and the delivery of each
 * message. The world is taken back to a state and goes another way from there, until no new state is found. Besides the
 * invariants it is checked that an answer is only for the request that was read for it, that what was accepted is
 * reported and what is reported was accepted, and that the buffer changes only when an answer is accepted. The channel
 * is the second: the server's threads, on CPU 0, ask the other, on CPU 1. */
#include "ipc/endpoint_internal.h"
#include "sys/process.h"
#include "tests/unit/ipc/endpoint_steps.h"

#include <string.h>

enum { P = 7, ROOM = 8, NOW_NS = 1000, DEADLINE_NS = 2000, VISITED = 1 << 21, DEPTH_MAX = 64 };

enum action {
    DELIVER_0,
    DELIVER_1,
    CALL, /* a thread of the server's process */
    CALL_BY_DEADLINE,
    START_ASYNC,
    COMPLETE,
    CANCEL,
    ABANDON, /* the second thread ends the first, which is in a call */
    EXPIRE,
    READ, /* the other's thread */
    ANSWER,
    ANSWER_AND_WAIT,
    WAIT,
    KILL_ASKER,
    KILL_ANSWERER,
    REVIVE_ASKER,
    REVIVE_ANSWERER,
    ACTIONS
};

static struct endpoint *const initiator = &world.initiators[1], *const handler = &world.handlers[1];
static struct process *const asker = &world.processes[SERVER_PROCESS], *const answerer =
                                                                           &world.processes[OTHER_PROCESS];
static struct thread *const other = &world.threads[OTHER];

/* What the processes and the test know, beside the world. A request is one byte, its number; so is its answer. */
static struct {
    uint8_t left[ACTIONS]; /* how often each may still happen */
    char number;           /* of the last request */
    char known;            /* of the one that the other knows, or 0 */
    char accepted;         /* of the one whose answer was accepted and not reported yet, or 0 */
    char written;          /* what must be in the buffer for the answer */
} play;

static uint64_t visited[VISITED], states;
static struct {
    struct snapshot snapshot;
    typeof(play) play;
} stack[DEPTH_MAX];

static bool runs(enum action a)
{
    world_on(a >= READ && a <= WAIT);
    int i = world_running();
    return a >= READ && a <= WAIT ? i == OTHER : i == SERVER || i == SERVER_2;
}

static bool is_enabled(enum action a)
{
    const struct thread *caller = initiator->caller;
    if (a == DELIVER_0 || a == DELIVER_1) {
        for (uint32_t i = 0; i < world.message_count; i++)
            if (world.messages[i].to == (a == DELIVER_1))
                return true;
        return false;
    }
    if (!play.left[a])
        return false;
    switch (a) {
    case EXPIRE:
        return caller && *caller->deadline_ns != TIME_NEVER;
    case ABANDON:
        return runs(a) && world_running() == SERVER_2 && caller == &world.threads[SERVER];
    case COMPLETE:
        return runs(a) && initiator->async == ASYNC_DONE;
    case KILL_ASKER:
    case KILL_ANSWERER:
        return !(a == KILL_ASKER ? asker : answerer)->stopped;
    case REVIVE_ASKER:
    case REVIVE_ANSWERER:
        return (a == REVIVE_ASKER ? asker : answerer)->supervisor->state == TASK_ENDED;
    default:
        return runs(a);
    }
}

static void ask(enum action a)
{
    struct call c = world_call_of(a == START_ASYNC ? CALL_ASYNC_TRANSACT : CALL_TRANSACT, &initiator->object, 1, ROOM);
    if (endpoint_may_start(initiator) == STATUS_OK) {
        must(!play.accepted);
        world.async_send[1][0] = ++play.number;
        world.async_receive[1][0] = play.written = 0;
    }
    c.out = world.async_send[1]; /* only one is under way: any thread may use these */
    c.in = world.async_receive[1];
    c.deadline_ns = a == CALL_BY_DEADLINE ? DEADLINE_NS : TIME_NEVER;
    world_call(&c);
}

static void answer(enum call_kind kind)
{
    bool was_open = (initiator->claim & 3) == CLAIM_OPEN;
    world.send[OTHER][0] = play.known;
    struct call c = world_call_of(kind, &handler->object, 1, ROOM);
    world_call(&c);
    bool accepted = was_open && (initiator->claim & 3) == CLAIM_ANSWERED;
    if (accepted) {
        must(play.known == play.number && !play.accepted);
        play.written = play.accepted = play.number;
        play.known = 0;
    }
    if (kind == CALL_RESPOND)
        must(world_got(OTHER, accepted ? STATUS_OK : STATUS_UNAVAILABLE, 0));
    if (kind == CALL_RESPOND_AND_WAIT && !accepted)
        must(runs(READ) && world_got(OTHER, STATUS_UNAVAILABLE, 0));
}

static void act(enum action a)
{
    switch (a) {
    case DELIVER_0:
    case DELIVER_1:
        world_deliver_one(a == DELIVER_1);
        break;
    case CALL:
    case CALL_BY_DEADLINE:
    case START_ASYNC:
        ask(a);
        break;
    case COMPLETE:
        step_complete(1);
        break;
    case CANCEL:
        step_cancel(1);
        break;
    case ABANDON:
        step_to(CALL_TERMINATE, &world.of[SERVER].object);
        break;
    case EXPIRE:
        world_on(0);
        step_at(DEADLINE_NS);
        world.now_ns = NOW_NS;
        break;
    case READ:
        step_read(1, 0, ROOM);
        break;
    case WAIT:
        step_wait_request(1, ROOM, TIME_NEVER);
        break;
    case ANSWER:
    case ANSWER_AND_WAIT:
        answer(a == ANSWER ? CALL_RESPOND : CALL_RESPOND_AND_WAIT);
        break;
    case KILL_ASKER:
    case KILL_ANSWERER:
        world_stop(a == KILL_ASKER ? asker : answerer);
        break;
    default:
        world_revive(a == REVIVE_ASKER ? asker : answerer);
    }
}

/* The transaction is over with this result. */
static void must_report(const struct result *r)
{
    if (r->status == STATUS_OK)
        must(r->value == 1 && play.accepted == play.number);
    else
        must(!play.accepted);
    play.accepted = 0;
}

/* Before the action: who would be told of the end, and whether the other waits. */
struct earlier {
    struct thread *caller;
    enum endpoint_async async;
    bool other_waits;
};

/* What the action has told the processes. */
static void note(enum action a, const struct earlier *was)
{
    const struct thread *caller = was->caller;
    if (caller && initiator->caller != caller) {
        if (caller->waiter.state != THREAD_STOPPED && was->async == ASYNC_NONE)
            must_report(&caller->result);
        play.accepted = initiator->async == ASYNC_ABANDONED ? play.accepted : 0;
    }
    if (a == COMPLETE)
        must_report(&sched_current()->result);
    if (was->async != ASYNC_NONE && initiator->async == ASYNC_NONE)
        play.accepted = 0; /* collected, cancelled, or its process is gone */
    bool was_given = a == READ || a == WAIT || a == ANSWER_AND_WAIT || was->other_waits;
    if (was_given && other->waiter.state < THREAD_STOPPED && other->result.status == STATUS_OK && other->result.value) {
        must(world.receive[OTHER][0] > 0 && world.receive[OTHER][0] <= play.number);
        play.known = world.receive[OTHER][0];
    }
    if (answerer->stopped)
        play.known = 0;
    if (other->waiter.state != THREAD_WAIT_REQUEST)
        world.receive[OTHER][0] = 0;
    must(world.async_receive[1][0] == play.written);
}

static uint64_t mix(uint64_t h, const void *data, size_t bytes)
{
    const uint64_t *word = data;
    for (size_t i = 0; i < bytes / sizeof(*word); i++)
        h = (h ^ word[i]) * UINT64_C(0x9e3779b97f4a7c15), h ^= h >> 29;
    return h;
}

/* False: it has been here before. */
static bool is_new(const struct snapshot *s)
{
    uint64_t h = mix(1, s, sizeof(*s));
    for (size_t i = 0; i < sizeof(play); i++)
        h = (h ^ ((const uint8_t *)&play)[i]) * UINT64_C(0x9e3779b97f4a7c15), h ^= h >> 29;
    h += !h;
    uint64_t i = h % VISITED;
    for (; visited[i]; i = (i + 1) % VISITED)
        if (visited[i] == h)
            return false;
    visited[i] = h;
    must(++states < VISITED / 2);
    return true;
}

static void explore(int depth)
{
    must(depth + 1 < DEPTH_MAX);
    for (enum action a = 0; a < ACTIONS; a++) {
        world_load(&stack[depth].snapshot);
        play = stack[depth].play;
        process_set_count(PROCESSES + 1); /* not part of the world */
        if (!is_enabled(a))
            continue;
        struct earlier was = {initiator->caller, initiator->async, other->waiter.state == THREAD_WAIT_REQUEST};
        play.left[a] -= a > DELIVER_1;
        act(a);
        note(a, &was);
        world_on(0);
        world_save(&stack[depth + 1].snapshot);
        stack[depth + 1].play = play;
        if (is_new(&stack[depth + 1].snapshot))
            explore(depth + 1);
    }
}

/* `least`: so many states there are, or the actions do not come about. */
static void explore_from_start(bool two_threads, uint64_t least, const uint8_t left[ACTIONS])
{
    const uint8_t second = two_threads ? P : WORLD_ABSENT;
    memset(visited, 0, sizeof(visited));
    memset(&play, 0, sizeof(play));
    states = 0;
    world_create_on((const uint8_t[THREADS]){WORLD_ABSENT, WORLD_ABSENT, P, second, P, WORLD_ABSENT, WORLD_ABSENT},
                    (const uint8_t[PROCESSES]){[OTHER_PROCESS] = 1});
    memcpy(play.left, left, ACTIONS);
    world_on(0);
    world_save(&stack[0].snapshot);
    stack[0].play = play;
    explore(0);
    cr_assert(ge(u64, states, least));
}

#define LEFT(...)                                                                                                      \
    (const uint8_t[ACTIONS])                                                                                           \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

Test(endpoint_orders, deadlines, .timeout = 120)
{
    explore_from_start(false, 3000, LEFT([CALL_BY_DEADLINE] = 3, [EXPIRE] = 2, [READ] = 3, [ANSWER] = 2));
    explore_from_start(false, 2000, LEFT([CALL_BY_DEADLINE] = 3, [EXPIRE] = 2, [WAIT] = 2, [ANSWER_AND_WAIT] = 2));
}

Test(endpoint_orders, cancellations, .timeout = 120)
{
    explore_from_start(true, 3000, LEFT([START_ASYNC] = 3, [COMPLETE] = 2, [CANCEL] = 2, [READ] = 2, [ANSWER] = 2));
    explore_from_start(
        true, 20000,
        LEFT([CALL] = 2, [START_ASYNC] = 1, [COMPLETE] = 1, [CANCEL] = 2, [ABANDON] = 1, [WAIT] = 1, [ANSWER] = 2));
}

Test(endpoint_orders, the_answerer_dies, .timeout = 120)
{
    explore_from_start(false, 10000,
                       LEFT([CALL_BY_DEADLINE] = 3, [EXPIRE] = 1, [READ] = 2, [ANSWER] = 2, [KILL_ANSWERER] = 1,
                            [REVIVE_ANSWERER] = 1));
    explore_from_start(false, 20000,
                       LEFT([START_ASYNC] = 2, [COMPLETE] = 1, [CANCEL] = 1, [WAIT] = 2, [ANSWER] = 1,
                            [KILL_ANSWERER] = 2, [REVIVE_ANSWERER] = 1));
}

Test(endpoint_orders, the_asker_dies, .timeout = 120)
{
    explore_from_start(
        false, 5000,
        LEFT([CALL_BY_DEADLINE] = 3, [EXPIRE] = 1, [READ] = 2, [ANSWER] = 2, [KILL_ASKER] = 1, [REVIVE_ASKER] = 1));
    explore_from_start(
        false, 20000,
        LEFT([START_ASYNC] = 2, [CANCEL] = 1, [WAIT] = 2, [ANSWER_AND_WAIT] = 2, [KILL_ASKER] = 2, [REVIVE_ASKER] = 1));
}

Test(endpoint_orders, both_die, .timeout = 120)
{
    explore_from_start(false, 20000,
                       LEFT([CALL] = 2, [READ] = 1, [ANSWER] = 1, [KILL_ASKER] = 2, [REVIVE_ASKER] = 1,
                            [KILL_ANSWERER] = 2, [REVIVE_ANSWERER] = 1));
}
