/* SPDX-License-Identifier: MIT
 * Calls and messages, one at a time. Each leaves by a long jump, as the kernel leaves by thread_resume. */
#include "tests/unit/ipc/endpoint_world.h"

#include "ipc/group_direct.h"

#include "sys/lib/panic.h"
#include "sys/process.h"

#include <setjmp.h>
#include <string.h>

uint64_t world_handoffs;

static jmp_buf way_out; /* of the call under way */

/* Nothing is ready: the call is over, and the next is one of those that an idle CPU takes. */
void interrupts_window(void)
{
    world.idle = true;
    longjmp(way_out, 1);
}

void interrupts_halt(void)
{
    interrupts_window();
}

void thread_resume(struct thread *t)
{
    panic_if(t != sched_current());
    longjmp(way_out, 1);
}

void thread_resume_ok(struct thread *t, uint64_t value)
{
    t->result = result_ok(value);
    thread_resume(t);
}

void world_begin(void)
{
    if (!setjmp(way_out))
        sched_start();
}

static _Noreturn void leave(void)
{
    longjmp(way_out, 1);
}

static void deliver(void)
{
    uint32_t i = 0;
    while (world.messages[i].to != world.cpu)
        i++;
    struct inbox_message m = world.messages[i].message;
    world.message_count--;
    memmove(&world.messages[i], &world.messages[i + 1], (world.message_count - i) * sizeof(world.messages[0]));
    world.messages[world.message_count] = (struct message){0}; /* what is over makes no two states different */
    m.run(&m);
}

/* A call without a result of its own: nobody's `result` changes unless the kernel changes it. */
static void interrupt(const struct call *c)
{
    if (c->kind == CALL_RAISE) {
        object_raise_ready(c->object, c->mask);
    } else if (c->kind == CALL_DELIVER) {
        deliver();
    } else if (c->kind == CALL_KILL) {
        process_terminate(c->object->process);
    } else if (c->kind == CALL_REVIVE) {
        struct exit_status end;
        must(task_join((struct task *)c->object, &end) == STATUS_OK);
        must(task_start_process((struct task *)c->object) == STATUS_OK);
    } else {
        world.armed_ns = TIME_NEVER; /* it has fired */
        timer_interrupt();
    }
    world.idle = false;
    sched_interrupted();
    leave();
}

static struct result after(struct thread *woken, enum status s)
{
    return woken ? sched_ready_preempt(woken, result_of(s)) : result_of(s);
}

/* As sys/sys_task.c and sys/sys_object.c. */
static struct result call_task(const struct call *c)
{
    struct task *t = (struct task *)c->object;
    struct exit_status end = {.kind = EXIT_CODE, .code = 7};
    struct thread *woken;
    enum status s;
    switch (c->kind) {
    case CALL_GROUP_ADD:
        s = wait_group_add((struct wait_group *)c->object, c->other, c->mask, c->value, &woken);
        return after(woken, s);
    case CALL_GROUP_REMOVE:
        return sched_preempt(result_of(wait_group_remove((struct wait_group *)c->object, c->other)));
    case CALL_START:
        if (!t->thread)
            return result_of(task_start_process(t));
        return sched_preempt(result_of(task_start_thread(t, c->value, 1, 2)));
    case CALL_TERMINATE:
        s = task_terminate(t);
        if (sched_current()->waiter.state != THREAD_RUNNING)
            sched_block();
        return sched_preempt(result_of(s));
    case CALL_JOIN:
        s = task_join(t, &end);
        return s == STATUS_OK ? result_ok(end.kind) : result_of(s);
    case CALL_THREAD_EXIT:
        thread_end(sched_current(), &end);
        sched_block();
    case CALL_EXIT:
        process_stop(sched_current()->process, &end);
        sched_block();
    default:
        interrupt(c);
        leave();
    }
}

/* Calls that take pieces. */
static struct result call_pieces(struct endpoint *e, const struct call *c)
{
    struct pieces out = pieces_of((char *)(uintptr_t)c->out, c->n), in = pieces_of(c->in, c->room);
    const struct pieces *send = c->out_pieces ? c->out_pieces : &out, *receive = c->in_pieces ? c->in_pieces : &in;
    switch (c->kind) {
    case CALL_TRANSACT:
        return endpoint_transact_pieces(e, send, receive, c->deadline_ns);
    case CALL_RESPOND:
        return endpoint_respond_pieces(e, send);
    case CALL_READ:
        return endpoint_read_pieces(e, c->offset, receive);
    default:
        return endpoint_async_transact(e, send, receive);
    }
}

/* As sys/fastpath.c. A direct way that is not taken comes back. */
static struct result call_transact(struct endpoint *e, const struct call *c)
{
    if (!c->slow) {
        world_handoffs++;
        endpoint_transact_direct(e, c->out, c->n, c->in, c->room, c->deadline_ns);
        endpoint_transact_group(e, c->out, c->n, c->in, c->room, c->deadline_ns);
        world_handoffs--;
    }
    return endpoint_transact(e, c->out, c->n, c->in, c->room, c->deadline_ns);
}

static struct result call_respond_and_wait_group(struct wait_group *g, const struct call *c)
{
    if (!c->slow) {
        world_handoffs++;
        endpoint_respond_and_wait_group_direct(g, c->out, c->n, c->in, c->room, c->deadline_ns);
        world_handoffs--;
    }
    return endpoint_respond_and_wait_group(g, c->out, c->n, c->in, c->room, c->deadline_ns);
}

static struct result call_respond_and_wait(struct endpoint *e, const struct call *c)
{
    if (e->object.type == IMAGE_OBJECT_WAIT_GROUP)
        return call_respond_and_wait_group((struct wait_group *)c->object, c);
    if (!c->slow) {
        world_handoffs++;
        endpoint_respond_and_wait_direct(e, c->out, c->n, c->in, c->room, c->deadline_ns);
        world_handoffs--;
    }
    return endpoint_respond_and_wait(e, c->out, c->n, c->in, c->room, c->deadline_ns);
}

static struct result call(const struct call *c)
{
    struct endpoint *e = (struct endpoint *)c->object;
    if (c->out_pieces || c->in_pieces || c->kind == CALL_ASYNC_TRANSACT)
        return call_pieces(e, c);
    switch (c->kind) {
    case CALL_TRANSACT:
        return call_transact(e, c);
    case CALL_RESPOND_AND_WAIT:
        return call_respond_and_wait(e, c);
    case CALL_RESPOND:
        return endpoint_respond(e, c->out, c->n);
    case CALL_READ:
        return endpoint_read(e, c->offset, c->in, c->n);
    case CALL_WAIT:
        return object_wait(c->object, c->mask, c->deadline_ns);
    case CALL_YIELD:
        return sched_yield();
    case CALL_ASYNC_COMPLETE:
        return endpoint_async_complete(e);
    case CALL_ASYNC_CANCEL:
        return endpoint_async_cancel(e);
    case CALL_SET_PEER_USER:
        return endpoint_set_peer_user(e, c->value);
    case CALL_NOTIFY:
        return endpoint_notify(e, c->mask);
    case CALL_TAKE:
        return endpoint_take(e, c->deadline_ns);
    default:
        return call_task(c);
    }
}

void world_call(const struct call *c)
{
    world_watch(c->kind);
    if (!setjmp(way_out)) {
        struct result r = call(c);
        sched_current()->result = r;
    }
    world_check();
}

void world_stop(struct process *p)
{
    uint32_t here = world.cpu;
    world_on(p->cpu);
    world_call(&(struct call){.kind = CALL_KILL, .object = p->objects[0]});
    world_on(here);
}

void world_revive(struct process *p)
{
    uint32_t here = world.cpu;
    world_on(p->supervisor->object.cpu);
    world_call(&(struct call){.kind = CALL_REVIVE, .object = &p->supervisor->object});
    world_on(here);
}

bool world_deliver_one(uint32_t cpu)
{
    uint32_t here = world.cpu, i = 0;
    while (i < world.message_count && world.messages[i].to != cpu)
        i++;
    if (i == world.message_count)
        return false;
    world_on(cpu);
    world_call(&(struct call){.kind = CALL_DELIVER});
    world_on(here);
    return true;
}

void world_deliver(void)
{
    while (world.message_count)
        world_deliver_one(world.messages[0].to);
}

int world_running(void)
{
    return world.idle ? -1 : (int)(sched_current() - world.threads);
}

struct call world_call_of(enum call_kind kind, struct object *o, uint64_t n, uint64_t room)
{
    int i = world_running();
    must(i >= 0);
    return (struct call){.kind = kind,
                         .object = o,
                         .out = world.send[i],
                         .n = n,
                         .in = world.receive[i],
                         .room = room,
                         .deadline_ns = TIME_NEVER};
}

bool world_got(int thread, enum status status, uint64_t value)
{
    const struct result *r = &world.threads[thread].result;
    return r->status == status && r->value == value;
}

bool world_told(int thread, uint32_t signals, uint64_t value)
{
    const struct result *r = &world.threads[thread].result, expected = result_signals(signals, value);
    return r->status == expected.status && r->value == value;
}
