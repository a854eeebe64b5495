/* SPDX-License-Identifier: MIT
 * Process and thread objects, with the real ends and beginnings of sys/process.c: each call in each state, on one CPU
 * and between two, and calls that cross. The idlers supervise the server. */
#include "sys/task.h"

#include "arch/x86_64/asm.h"
#include "sys/abi/layout.h"
#include "sys/process.h"
#include "tests/unit/ipc/endpoint_steps.h"

#include <signal.h>

enum { P = 7 };

static struct task *const task = &world.supervised[SERVER_PROCESS];
static struct process *const process = &world.processes[SERVER_PROCESS];

static void start(uint8_t server_cpu)
{
    world_create_on((const uint8_t[THREADS]){P, WORLD_ABSENT, P, P | WORLD_UNBORN, P, P, WORLD_ABSENT},
                    (const uint8_t[PROCESSES]){[SERVER_PROCESS] = server_cpu});
    step_fill();
    world_on(0);
    step_until(RIVAL);
}

static void on(int thread)
{
    world_on(world.threads[thread].process->cpu);
    step_until(thread);
}

/* The supervisor's call gives this. */
static void must_give(enum call_kind kind, enum status status, uint64_t value)
{
    on(RIVAL);
    step_to(kind, &task->object);
    must(world_got(RIVAL, status, value));
}

static void must_be_running(void)
{
    must_give(CALL_START, STATUS_ALREADY_EXISTS, 0);
    must_give(CALL_JOIN, STATUS_UNAVAILABLE, 0);
    must(task->state == TASK_RUNNING && !task->object.signals);
}

static void must_be_ended(void)
{
    must_give(CALL_START, STATUS_FAILED_PRECONDITION, 0);
    must_give(CALL_TERMINATE, STATUS_FAILED_PRECONDITION, 0);
    must(task->state == TASK_ENDED && task->object.signals == SIGNAL_JOINABLE);
}

static void must_be_ready(void)
{
    must_give(CALL_JOIN, STATUS_FAILED_PRECONDITION, 0);
    must_give(CALL_TERMINATE, STATUS_FAILED_PRECONDITION, 0);
    must(task->state == TASK_READY && !task->object.signals && process->stopped);
}

Test(task, a_process_goes_through_its_states)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start(cpu);
        must_be_running();
        for (int life = 0; life < 3; life++) {
            step_wait(&task->object, SIGNAL_JOINABLE, TIME_NEVER);
            if (life == 1) {
                world_stop(process);
            } else {
                on(SERVER);
                step_simply(life ? CALL_THREAD_EXIT : CALL_EXIT); /* its last thread */
            }
            world_deliver();
            must(world_told(RIVAL, SIGNAL_JOINABLE, 0));
            must_be_ended();
            must_give(CALL_JOIN, STATUS_OK, life == 1 ? EXIT_TERMINATED : EXIT_CODE);
            must(task->status.code == (life == 1 ? 0 : 7));
            must_be_ready();
            must_give(CALL_START, STATUS_OK, 0);
            must_be_running();
            world_deliver();
            must_be_running();
            must(!process->stopped && process->living == 1 && world.threads[SERVER].frame.rip == process->entry);
        }
    }
}

/* Nobody may start it again before every CPU has seen its end: then nothing of its old life is under way. */
Test(task, the_supervisor_hears_of_it_last)
{
    start(1);
    on(CLIENT);
    step_transact(0, 10, 20, TIME_NEVER);
    world_deliver();
    world_stop(process);
    must(process->unseen == CHANNELS);
    for (uint32_t unseen = CHANNELS; unseen > 0; unseen--) {
        must(!task->object.signals && process->unseen == unseen);
        must(world_deliver_one(0)); /* STOPPED to the others */
        must(process->unseen == unseen);
        must(world_deliver_one(1)); /* SEEN */
    }
    must(!task->object.signals && !process->unseen && world.message_count == 1);
    world_deliver();
    must_be_ended();
}

/* However often it is asked, the process ends once; and one message asks for it. */
Test(task, terminating_again_and_again)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start(cpu);
        for (int i = 0; i < 5; i++)
            must_give(CALL_TERMINATE, STATUS_OK, 0);
        must(world.message_count == 1); /* TERMINATE, or, on one CPU, ENDED */
        world_deliver();
        must_be_ended();
        must_give(CALL_JOIN, STATUS_OK, EXIT_TERMINATED);
    }
}

/* Terminate, wherever the process is on its way: it is gone in the end, and can be started again. */
Test(task, terminating_on_the_way)
{
    for (int delivered = 0; delivered < 3; delivered++) {
        for (uint8_t cpu = 0; cpu < 2; cpu++) {
            start(cpu);
            must_give(CALL_TERMINATE, STATUS_OK, 0);
            world_deliver();
            must_give(CALL_JOIN, STATUS_OK, EXIT_TERMINATED);
            must_give(CALL_START, STATUS_OK, 0);
            for (int i = 0; i < delivered; i++) /* START, and one step of loading */
                world_deliver_one(cpu);
            must_give(CALL_TERMINATE, STATUS_OK, 0);
            must_give(CALL_TERMINATE, STATUS_OK, 0);
            world_deliver();
            must_be_ended();
            must_give(CALL_JOIN, STATUS_OK, EXIT_TERMINATED);
            must_be_ready();
            must_give(CALL_START, STATUS_OK, 0);
            world_deliver();
            must(!process->stopped && process->living == 1);
        }
    }
}

/* It ends by itself while it is asked to: that request does not meet its next life, and one made in that does. */
Test(task, a_request_to_end_dies_with_its_life)
{
    for (int again = 0; again < 2; again++) {
        world_create_on((const uint8_t[THREADS]){P, WORLD_ABSENT, P, WORLD_ABSENT, P, P, WORLD_ABSENT},
                        (const uint8_t[PROCESSES]){1, 1, 1, 0});
        world_on(0);
        must_give(CALL_TERMINATE, STATUS_OK, 0);
        on(SERVER);
        step_simply(CALL_EXIT);
        must(world_deliver_one(0)); /* ENDED; the request has not arrived */
        must_be_ended();
        must_give(CALL_JOIN, STATUS_OK, EXIT_CODE);
        must_give(CALL_START, STATUS_OK, 0);
        if (again)
            must_give(CALL_TERMINATE, STATUS_OK, 0);
        must(world.message_count == 2 + (uint32_t)again);
        world_deliver();
        must(process->stopped == again && task->state == (again ? TASK_ENDED : TASK_RUNNING));
    }
}

Test(task, a_process_may_end_itself_by_its_own_object)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start(cpu);
        on(SERVER);
        struct object *own = &world.own[SERVER_PROCESS].object;
        step_to(CALL_START, own);
        must(world_got(SERVER, STATUS_ALREADY_EXISTS, 0));
        step_to(CALL_JOIN, own);
        must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
        step_to(CALL_TERMINATE, own);
        must(process->stopped && process->end.kind == EXIT_TERMINATED);
        world_deliver();
        must_be_ended();
    }
}

/* What it knows of others survives the supervisor's own end. */
Test(task, the_supervisor_starts_again)
{
    start(1);
    world_stop(process);
    world_deliver();
    world_on(0);
    on(RIVAL);
    step_simply(CALL_EXIT);
    world_deliver();
    must(world.processes[IDLER_PROCESS].stopped && task->state == TASK_ENDED);
    process_count_up();
    process_start(&world.processes[IDLER_PROCESS]);
    world_deliver();
    on(RIVAL);
    must_be_ended();
    must_give(CALL_JOIN, STATUS_OK, EXIT_TERMINATED);
}

static struct object *const second = &world.of[SERVER_2].object;

static void start_second(void)
{
    on(SERVER);
    struct call c = world_call_of(CALL_START, second, 0, 0);
    c.value = USER_PROCESS_BASE + 0x123;
    world_call(&c);
}

Test(task, a_thread_goes_through_its_states)
{
    start(0);
    on(SERVER);
    step_to(CALL_JOIN, second);
    must(world_got(SERVER, STATUS_FAILED_PRECONDITION, 0));
    step_to(CALL_TERMINATE, second);
    must(world_got(SERVER, STATUS_FAILED_PRECONDITION, 0));
    for (int life = 0; life < 2; life++) {
        start_second();
        const struct frame *f = &world.threads[SERVER_2].frame;
        must(world_got(SERVER, STATUS_OK, 0) && f->rip == USER_PROCESS_BASE + 0x123 && f->rdi == 1 && f->rsi == 2);
        must(f->rsp == world.threads[SERVER_2].stack_top && f->rflags == (RFLAGS_FIXED | RFLAGS_IF));
        must(process->living == 2);
        start_second();
        must(world_got(SERVER, STATUS_ALREADY_EXISTS, 0));
        step_to(CALL_JOIN, second);
        must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
        step_wait(second, SIGNAL_JOINABLE, TIME_NEVER);
        on(SERVER_2);
        step_to(life ? CALL_TERMINATE : CALL_THREAD_EXIT, second);
        must(world_told(SERVER, SIGNAL_JOINABLE, 0) && process->living == 1 && !process->stopped);
        start_second();
        must(world_got(SERVER, STATUS_FAILED_PRECONDITION, 0));
        step_to(CALL_TERMINATE, second);
        must(world_got(SERVER, STATUS_FAILED_PRECONDITION, 0));
        step_to(CALL_JOIN, second);
        must(world_got(SERVER, STATUS_OK, life ? EXIT_TERMINATED : EXIT_CODE));
        step_to(CALL_JOIN, second);
        must(world_got(SERVER, STATUS_FAILED_PRECONDITION, 0));
    }
}

Test(task, a_thread_enters_at_a_user_address)
{
    static const uint64_t wrong[] = {USER_END, USER_END + 1, UINT64_MAX, UINT64_C(1) << 47, UINT64_C(1) << 63};
    start(0);
    on(SERVER);
    struct call c = world_call_of(CALL_START, second, 0, 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        c.value = wrong[i];
        world_call(&c);
        must(world_got(SERVER, STATUS_INVALID_ARGUMENT, 0));
    }
    c.value = USER_END - 1;
    world_call(&c);
    must(world_got(SERVER, STATUS_OK, 0));
}

/* A thread is ended in everything that it may wait in; nothing remembers it. */
Test(task, a_thread_ends_in_every_wait)
{
    for (int wait = 0; wait < 7; wait++) {
        start(0);
        start_second();
        on(SERVER_2);
        step_add(&world.groups[SERVER_PROCESS], &world.lines[0], SIGNAL_INTERRUPT_A, 1);
        if (wait == 1)
            step_wait(&world.lines[1], SIGNAL_INTERRUPT_A, 5000);
        else if (wait == 2)
            step_wait_request(0, 100, 5000);
        else if (wait == 3)
            step_take(&world.handlers[0], 5000);
        else if (wait == 4)
            step_group_wait(&world.groups[SERVER_PROCESS], 5000);
        else if (wait == 5)
            step_group_take(&world.groups[SERVER_PROCESS], false, 0, 100, 5000);
        else if (wait == 6)
            step_transact(1, 10, 20, 5000);
        on(SERVER);
        must((wait == 0) == (world.threads[SERVER_2].waiter.state == THREAD_READY));
        step_to(CALL_TERMINATE, second);
        must(world_got(SERVER, STATUS_OK, 0) && world.threads[SERVER_2].waiter.state == THREAD_STOPPED);
        must(!world.lines[1].waiters && !world.handlers[0].object.waiters &&
             !world.groups[SERVER_PROCESS].object.waiters);
        must(world.initiators[1].object.signals == SIGNAL_WRITEABLE && !world.handlers[1].object.signals);
        step_at(6000); /* no deadline is left */
        must(world.threads[SERVER_2].waiter.state == THREAD_STOPPED);
    }
}

/* With its last thread, whichever that is. */
Test(task, a_process_ends_with_its_last_thread)
{
    for (int order = 0; order < 2; order++) {
        start(0);
        start_second();
        on(order ? SERVER : SERVER_2);
        step_simply(CALL_THREAD_EXIT);
        must(!process->stopped && process->living == 1);
        on(order ? SERVER_2 : SERVER);
        step_simply(CALL_THREAD_EXIT);
        must(process->stopped && process->end.kind == EXIT_CODE && process->end.code == 7);
        world_deliver();
        must_be_ended();
        must_give(CALL_JOIN, STATUS_OK, EXIT_CODE);
        must_give(CALL_START, STATUS_OK, 0);
        world_deliver();
        must(world.of[SERVER].state == TASK_RUNNING && world.of[SERVER_2].state == TASK_READY);
        must(!world.of[SERVER].object.signals && !second->signals);
        start_second();
        must(world_got(SERVER, STATUS_OK, 0));
    }
}

/* Nobody is left. */
Test(task, the_machine_stops_with_its_last_process, .signal = SIGABRT)
{
    start(0);
    process_set_count(1);
    world_stop(process);
}

/* A process that was asked to start is one that is left. */
Test(task, a_process_on_its_way_keeps_the_machine)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start(cpu);
        process_set_count(2);
        world_stop(process);
        world_deliver();
        must_give(CALL_JOIN, STATUS_OK, EXIT_TERMINATED);
        must_give(CALL_START, STATUS_OK, 0);
        step_simply(CALL_EXIT);
        world_deliver();
        must(!process->stopped);
    }
}
