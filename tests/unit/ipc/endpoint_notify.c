/* SPDX-License-Identifier: MIT
 * Notifications and USER in both directions, on one CPU and between two. The client's end and the server's; a variable
 * `cpu` is the server's. */
#include "tests/unit/ipc/endpoint_steps.h"

enum { P = 7 };

static struct endpoint *const initiator = &world.initiators[0], *const handler = &world.handlers[0];

static void start(uint8_t cpu)
{
    world_create_on((const uint8_t[THREADS]){P, P, P, P, P, WORLD_ABSENT, WORLD_ABSENT},
                    (const uint8_t[PROCESSES]){[SERVER_PROCESS] = cpu});
    step_fill();
}

static void on(int thread)
{
    world_on(world.threads[thread].process->cpu);
    step_until(thread);
}

static void notify(uint32_t bits)
{
    on(CLIENT);
    step_notify(initiator, bits);
    must(world_got(CLIENT, STATUS_OK, 0));
}

static void set_user(bool is_on)
{
    on(CLIENT);
    step_set_user(initiator, is_on);
    must(world_got(CLIENT, STATUS_OK, 0));
}

static void take(int thread)
{
    on(thread);
    step_take(handler, TIME_NEVER);
}

static bool takes(int thread)
{
    return world.threads[thread].waiter.state == THREAD_WAIT_TAKE;
}

static bool has_user(void)
{
    return handler->object.signals == SIGNAL_USER;
}

Test(endpoint_notify, bits_are_collected_until_they_are_taken)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start(cpu);
        notify(1);
        notify(0x80000000);
        notify(4);
        notify(4);
        must(world.message_count == cpu);
        world_deliver();
        must(has_user() && handler->notified == 0x80000005);
        notify(2);
        world_deliver();
        take(SERVER);
        must(world_running() == SERVER && world_got(SERVER, STATUS_OK, 0x80000007) && !handler->object.signals);
        take(SERVER);
        must(takes(SERVER));
        notify(0);
        must(world.message_count == 0 && takes(SERVER));
        notify(UINT32_MAX);
        world_deliver();
        must(world_got(SERVER, STATUS_OK, UINT32_MAX) && !handler->object.signals);
    }
}

Test(endpoint_notify, both_directions_beside_a_transaction)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start(cpu);
        on(CLIENT);
        step_transact(0, 10, 20, TIME_NEVER);
        world_deliver();
        on(CLIENT_2);
        step_notify(initiator, 3);
        on(SERVER);
        step_read(0, 0, 10);
        step_notify(handler, 12);
        world_deliver();
        must(handler->object.signals == (SIGNAL_READABLE | SIGNAL_USER) && initiator->object.signals == SIGNAL_USER);
        take(SERVER);
        must(world_got(SERVER, STATUS_OK, 3) && handler->object.signals == SIGNAL_READABLE);
        step_respond(0, 5);
        must(world_got(SERVER, STATUS_OK, 0));
        world_deliver();
        must(world_got(CLIENT, STATUS_OK, 5));
        on(CLIENT_2);
        step_take(initiator, TIME_NEVER);
        must(world_got(CLIENT_2, STATUS_OK, 12) && initiator->object.signals == SIGNAL_WRITEABLE);
    }
}

Test(endpoint_notify, one_of_two_takers_has_all_bits)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start(cpu);
        take(SERVER);
        take(SERVER_2);
        notify(6);
        world_deliver();
        must(world_got(SERVER, STATUS_OK, 6) && !takes(SERVER) && takes(SERVER_2) && !handler->object.signals);
        notify(8);
        world_deliver();
        must(world_got(SERVER_2, STATUS_OK, 8) && !handler->object.signals);
    }
}

Test(endpoint_notify, taking_waits_until_its_deadline)
{
    for (uint64_t deadline_ns = 0; deadline_ns <= 2000; deadline_ns += 1000) {
        start(0);
        on(SERVER);
        step_take(handler, deadline_ns);
        must(takes(SERVER) == (deadline_ns > 1000));
        if (deadline_ns > 1000)
            step_at(deadline_ns);
        must(world_got(SERVER, STATUS_DEADLINE_EXCEEDED, 0) && !handler->object.waiters);
        notify(1);
        on(SERVER);
        step_take(handler, deadline_ns);
        must(world_got(SERVER, STATUS_OK, 1));
    }
}

/* The level stands for itself: it is not taken, and bits do not lower it. */
Test(endpoint_notify, the_level_is_the_senders)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start(cpu);
        set_user(true);
        set_user(true);
        world_deliver();
        must(has_user() && handler->user);
        take(SERVER);
        must(takes(SERVER));
        notify(1);
        world_deliver();
        must(world_got(SERVER, STATUS_OK, 1) && has_user());
        for (int i = 0; i < 2; i++) {
            on(SERVER);
            step_wait(&handler->object, SIGNAL_USER, TIME_NEVER);
            must(world_told(SERVER, SIGNAL_USER, 0));
        }
        notify(2);
        set_user(false);
        world_deliver();
        must(has_user() && !handler->user);
        take(SERVER);
        must(world_got(SERVER, STATUS_OK, 2) && !handler->object.signals);
    }
}

/* Raised and lowered again before anybody looked: who waited already is woken, who comes later is not. */
Test(endpoint_notify, a_pulse_wakes_who_waits)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        for (int order = 0; order < 2; order++) {
            start(cpu);
            if (order)
                take(SERVER_2);
            on(SERVER);
            step_wait(&handler->object, SIGNAL_USER | SIGNAL_READABLE, TIME_NEVER);
            set_user(true);
            set_user(false);
            must(world.message_count == cpu);
            world_deliver();
            must(world_told(SERVER, SIGNAL_USER, 0) && !handler->object.signals && takes(SERVER_2) == order);
            on(SERVER);
            step_wait(&handler->object, SIGNAL_USER, TIME_NEVER);
            must(world.threads[SERVER].waiter.state == THREAD_WAIT_SIGNALS);
        }
    }
}

/* Bits, which one takes, and a pulse, for which the other waits, in one announcement. What woke it is what it is told.
 */
Test(endpoint_notify, a_taker_leaves_the_signal_to_others)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        for (int pulse = 0; pulse < 2; pulse++) {
            start(cpu);
            take(SERVER);
            on(SERVER_2);
            step_wait(&handler->object, SIGNAL_USER, TIME_NEVER);
            notify(4);
            if (pulse && cpu)
                set_user(true);
            if (pulse && cpu)
                set_user(false);
            world_deliver();
            must(world_got(SERVER, STATUS_OK, 4) && world_told(SERVER_2, SIGNAL_USER, 0) && !handler->object.signals);
        }
    }
}

Test(endpoint_notify, a_group_hears_of_it)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start(cpu);
        on(SERVER);
        step_add(&world.groups[SERVER_PROCESS], &handler->object, SIGNAL_USER, 77);
        step_group_wait(&world.groups[SERVER_PROCESS], TIME_NEVER);
        notify(4);
        world_deliver();
        must(world_told(SERVER, SIGNAL_USER, 77));
        take(SERVER);
        must(world_got(SERVER, STATUS_OK, 4));
        step_group_wait(&world.groups[SERVER_PROCESS], TIME_NEVER);
        must(world.threads[SERVER].waiter.state == THREAD_WAIT_SIGNALS);
        set_user(true);
        world_deliver();
        must(world_told(SERVER, SIGNAL_USER, 77));
    }
}

/* Whatever is sent, one message is under way, until it has been looked at. */
Test(endpoint_notify, one_announcement_is_under_way)
{
    start(1);
    for (int round = 0; round < 100; round++) {
        uint32_t bits = 0;
        bool level = handler->user;
        for (uint32_t i = world_random(5); i-- > 0;) {
            uint32_t some = 1u << world_random(32);
            if (world_random(3)) {
                notify(some);
                bits |= some;
            } else {
                set_user(level = world_random(2));
            }
            must(world.message_count == 1);
        }
        bits |= handler->notified;
        world_deliver();
        must(handler->notified == bits && handler->user == level && has_user() == (bits || level));
        if (!world_random(3) && bits) {
            take(SERVER);
            must(world_got(SERVER, STATUS_OK, bits) && !handler->notified);
        }
    }
}

Test(endpoint_notify, the_peers_death_ends_it)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        for (int state = 0; state < 3; state++) {
            start(cpu);
            if (state == 0) {
                take(SERVER);
            } else {
                notify(5);
                set_user(true);
            }
            if (state == 1)
                world_deliver();
            world_stop(&world.processes[CLIENT_PROCESS]);
            world_deliver();
            must(handler->object.signals == SIGNAL_ERROR && !handler->notified && !handler->user);
            if (state)
                take(SERVER);
            must(world_got(SERVER, STATUS_UNAVAILABLE, 0) && !takes(SERVER));
            on(SERVER);
            step_notify(handler, 1);
            must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
            step_notify(handler, 0);
            must(world_got(SERVER, STATUS_UNAVAILABLE, 0));
            step_set_user(handler, true);
            must(world_got(SERVER, STATUS_UNAVAILABLE, 0) && !initiator->user && world.message_count == 0);
            world_revive(&world.processes[CLIENT_PROCESS]);
            world_deliver();
            must(!handler->object.signals);
            notify(9);
            world_deliver();
            take(SERVER);
            must(world_got(SERVER, STATUS_OK, 9) && !handler->object.signals); /* nor is the old level there */
        }
    }
}

/* ERROR and USER for a taker and somebody who looks: both learn of the death. */
Test(endpoint_notify, everybody_learns_of_the_death)
{
    for (int first = 0; first < 2; first++) {
        start(0);
        on(SERVER);
        if (first)
            step_wait_request(0, 100, TIME_NEVER);
        else
            step_take(handler, TIME_NEVER);
        on(SERVER_2);
        step_wait(&handler->object, SIGNAL_ERROR, TIME_NEVER);
        world_stop(&world.processes[CLIENT_PROCESS]);
        must(world_got(SERVER, STATUS_UNAVAILABLE, 0) && world_told(SERVER_2, SIGNAL_ERROR, 0));
        must(handler->object.signals == (first ? 0 : SIGNAL_ERROR));
    }
}

/* It waits for a sign that the end may be used: the death of the peer is none. */
Test(endpoint_notify, writeable_is_not_told_at_death)
{
    for (uint8_t cpu = 0; cpu < 2; cpu++) {
        start(cpu);
        on(CLIENT);
        step_transact(0, 10, 20, TIME_NEVER);
        on(CLIENT_2);
        step_wait(&initiator->object, SIGNAL_WRITEABLE, TIME_NEVER);
        world_stop(&world.processes[SERVER_PROCESS]);
        world_deliver();
        must(world_got(CLIENT, STATUS_UNAVAILABLE, 0));
        must(world.threads[CLIENT_2].waiter.state == THREAD_WAIT_SIGNALS);
        world_revive(&world.processes[SERVER_PROCESS]);
        world_deliver();
        must(world_told(CLIENT_2, SIGNAL_WRITEABLE, 0));
    }
}
