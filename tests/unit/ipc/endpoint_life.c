/* SPDX-License-Identifier: MIT
 * Death of either end in every state, and what each end finds when one of them, or both, have started again: on one CPU
 * and on two. Every order of the messages: endpoint_orders.c. */
#include "tests/unit/ipc/endpoint_steps.h"

enum { P = 7 };

static struct endpoint *const initiator = &world.initiators[0], *const handler = &world.handlers[0];
static struct process *const client_process = &world.processes[CLIENT_PROCESS], *const server_process =
                                                                                    &world.processes[SERVER_PROCESS];

static void start_on(uint8_t server_cpu)
{
    world_create_on((const uint8_t[THREADS]){P, WORLD_ABSENT, P, WORLD_ABSENT, P, WORLD_ABSENT, WORLD_ABSENT},
                    (const uint8_t[PROCESSES]){[SERVER_PROCESS] = server_cpu});
    step_fill();
}

/* The client's CPU first, and then the server's. */
static void on(int thread)
{
    world_on(world.threads[thread].process->cpu);
    step_until(thread);
}

/* The server waits, the client runs. */
static void start_waiting(uint8_t server_cpu)
{
    start_on(server_cpu);
    on(SERVER);
    step_wait_request(0, 100, TIME_NEVER);
    on(CLIENT);
}

/* The client has asked; the server runs, and has read 3 bytes or nothing. */
static void start_asked(uint8_t server_cpu, bool read, uint64_t deadline_ns)
{
    start_on(server_cpu);
    on(CLIENT);
    step_transact(0, 10, 20, deadline_ns);
    world_deliver();
    on(SERVER);
    if (read)
        step_read(0, 0, 3);
}

static bool nothing_written(int thread)
{
    return step_received(world.receive[thread], 0, 0, 0);
}

static void round_trip(void)
{
    on(SERVER);
    step_wait_request(0, 100, TIME_NEVER);
    on(CLIENT);
    step_transact(0, 10, 20, TIME_NEVER);
    world_deliver();
    on(SERVER);
    must(world_got(SERVER, STATUS_OK, 10));
    step_respond(0, 5);
    must(world_got(SERVER, STATUS_OK, 0));
    world_deliver();
    must(world_got(CLIENT, STATUS_OK, 5) && initiator->object.signals == SIGNAL_WRITEABLE && !handler->object.signals);
}

Test(endpoint_life, the_server_stops_in_every_state)
{
    for (int state = 0; state < 10; state++) {
        uint8_t cpu = state % 2;
        if (state < 2) { /* nothing under way, the client waits for the server's death */
            start_on(cpu);
            on(CLIENT);
            step_wait(&initiator->object, SIGNAL_ERROR, TIME_NEVER);
        } else {
            start_asked(cpu, state >= 6, state < 4 ? TIME_NEVER : 5000);
        }
        bool late = state >= 8;
        if (late) {
            world_on(0);
            step_at(5000);
            world_deliver();
        }
        on(SERVER);
        step_simply(CALL_EXIT);
        world_deliver();
        on(CLIENT);
        must(!initiator->caller && initiator->object.signals == SIGNAL_ERROR);
        must(state < 2 ? world_told(CLIENT, SIGNAL_ERROR, 0)
                       : world_got(CLIENT, late ? STATUS_DEADLINE_EXCEEDED : STATUS_UNAVAILABLE, 0));
        step_transact(0, 1, 1, TIME_NEVER);
        must(world_running() == CLIENT && world_got(CLIENT, STATUS_UNAVAILABLE, 0) && nothing_written(CLIENT));
    }
}

Test(endpoint_life, a_waiting_server_stops)
{
    for (int state = 0; state < 4; state++) {
        start_on(state % 2);
        on(SERVER);
        if (state < 2)
            step_wait_request(0, 100, TIME_NEVER);
        else
            step_wait(&handler->object, SIGNAL_READABLE, 5000);
        world_stop(server_process);
        world_deliver();
        on(CLIENT);
        step_transact(0, 1, 1, TIME_NEVER);
        must(world_running() == CLIENT && world_got(CLIENT, STATUS_UNAVAILABLE, 0));
    }
}

Test(endpoint_life, the_client_stops_while_the_server_waits)
{
    for (int state = 0; state < 4; state++) {
        start_on(state % 2);
        on(SERVER);
        if (state < 2)
            step_wait_request(0, 100, TIME_NEVER);
        else
            step_wait(&handler->object, SIGNAL_READABLE | SIGNAL_ERROR, 5000);
        on(CLIENT);
        step_simply(CALL_EXIT);
        world_deliver();
        on(SERVER);
        must(state < 2 ? world_got(SERVER, STATUS_UNAVAILABLE, 0) : world_told(SERVER, SIGNAL_ERROR, 0));
        must(handler->object.signals == (state < 2 ? 0 : SIGNAL_ERROR));
        if (state >= 2) { /* looking does not lower it */
            step_wait(&handler->object, SIGNAL_ERROR, TIME_NEVER);
            step_wait_request(0, 100, TIME_NEVER);
            must(world_running() == SERVER && world_got(SERVER, STATUS_UNAVAILABLE, 0));
        }
        step_wait_request(0, 100, TIME_NEVER);
        must(world.threads[SERVER].waiter.state == THREAD_WAIT_REQUEST); /* it was told once */
        must(nothing_written(SERVER));
    }
}

Test(endpoint_life, the_client_stops_in_its_transaction)
{
    for (int state = 0; state < 4; state++) {
        start_asked(state % 2, state >= 2, 5000);
        world_stop(client_process);
        world_deliver();
        on(SERVER);
        must(handler->object.signals == SIGNAL_ERROR);
        step_respond(0, 3);
        must(world_got(SERVER, STATUS_UNAVAILABLE, 0) && nothing_written(CLIENT));
        step_read(0, 0, 3);
        must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
        step_respond_and_wait(0, 3, 100, TIME_NEVER);
        must(world_running() == SERVER && world_got(SERVER, STATUS_UNAVAILABLE, 0));
        must(handler->object.signals == SIGNAL_ERROR); /* an answer that is refused tells nothing */
        step_simply(CALL_EXIT);
    }
}

Test(endpoint_life, the_server_starts_again)
{
    for (int state = 0; state < 8; state++) {
        uint8_t cpu = state % 2;
        if (state < 2)
            start_waiting(cpu);
        else
            start_asked(cpu, state >= 4, TIME_NEVER);
        if (state >= 6) {
            on(SERVER);
            step_respond(0, 4);
            world_deliver();
        }
        world_stop(server_process);
        must(!world.supervised[SERVER_PROCESS].object.signals); /* the supervisor knows it last */
        world_deliver();
        must(world.supervised[SERVER_PROCESS].object.signals == SIGNAL_JOINABLE);
        must(initiator->object.signals == SIGNAL_ERROR && initiator->dead);
        on(CLIENT);
        step_wait(&initiator->object, SIGNAL_WRITEABLE, TIME_NEVER);
        world_revive(server_process);
        must(initiator->object.signals == SIGNAL_ERROR);
        world_deliver();
        must(world_told(CLIENT, SIGNAL_WRITEABLE, 0) && !handler->object.signals);
        round_trip();
    }
}

/* A direct way that death closed is open again. */
Test(endpoint_life, the_direct_way_is_open_again)
{
    start_on(0);
    world_stop(server_process);
    world_deliver();
    world_revive(server_process);
    world_deliver();
    on(SERVER);
    step_wait_request(0, 100, TIME_NEVER);
    on(OTHER);
    step_wait_request(1, 100, TIME_NEVER);
    uint64_t handoffs = world_handoffs;
    step_transact(0, 10, 20, TIME_NEVER);
    must(world_running() == SERVER && world_handoffs == handoffs + 1);
    step_respond_and_wait(0, 5, 100, TIME_NEVER);
    must(world_running() == CLIENT && world_handoffs == handoffs + 2);
}

Test(endpoint_life, the_client_starts_again)
{
    for (int state = 0; state < 6; state++) {
        uint8_t cpu = state % 2;
        if (state < 2)
            start_waiting(cpu);
        else
            start_asked(cpu, state >= 4, TIME_NEVER);
        world_stop(client_process);
        world_deliver();
        world_revive(client_process);
        must(handler->dead);
        world_deliver();
        must(!handler->dead && !handler->object.signals && initiator->object.signals == SIGNAL_WRITEABLE);
        if (state >= 4) { /* what it had read is withdrawn, and it is told once */
            on(SERVER);
            step_respond(0, 1);
            must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
        }
        if (state < 2)
            must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
        round_trip();
    }
}

/* Both, in either order, also while one does not know of the other yet. */
Test(endpoint_life, both_start_again)
{
    for (int state = 0; state < 16; state++) {
        start_asked(state % 2, state & 2, TIME_NEVER);
        world_stop(state & 4 ? client_process : server_process);
        if (state & 8)
            world_deliver();
        world_stop(state & 4 ? server_process : client_process);
        world_deliver();
        must(initiator->dead && handler->dead);
        world_revive(state & 4 ? server_process : client_process);
        world_deliver();
        must(initiator->dead == !(state & 4) && handler->dead == !!(state & 4));
        if (!(state & 4))
            must(!initiator->object.signals); /* the client is as at boot, but the server is not there */
        else
            must(!handler->object.signals);
        world_revive(state & 4 ? client_process : server_process);
        world_deliver();
        must(initiator->object.signals == SIGNAL_WRITEABLE && !handler->object.signals);
        round_trip();
    }
}

/* What the living one sent waits for the next life; what the dead one sent is gone. */
Test(endpoint_life, notifications_survive_on_one_side)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start_on(cpu);
        on(CLIENT);
        step_notify(initiator, 5);
        step_set_user(initiator, true);
        on(SERVER);
        step_notify(handler, 6);
        step_set_user(handler, true);
        world_deliver();
        must(initiator->notified == 6 && initiator->user && handler->notified == 5 && handler->user);
        world_stop(server_process);
        world_deliver();
        must(initiator->object.signals == SIGNAL_ERROR);
        world_revive(server_process);
        world_deliver();
        must(initiator->object.signals == SIGNAL_WRITEABLE && handler->object.signals == SIGNAL_USER);
        on(SERVER);
        step_take(handler, TIME_NEVER);
        must(world_got(SERVER, STATUS_OK, 5) && handler->object.signals == SIGNAL_USER);
        on(CLIENT);
        step_set_user(initiator, false);
        world_deliver();
        must(!handler->object.signals);
    }
}
