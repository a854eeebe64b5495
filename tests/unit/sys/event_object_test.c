/* SPDX-License-Identifier: MIT
 * A subscription's ring with the bus played by the test, beside a queue of everything that was offered: random
 * deliveries and reads of all sizes, for several depths; names of custom events; the count of losses at its end. */
#include "sys/event_object.h"

#include "ipc/name.h"
#include "tests/unit/ipc/endpoint_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t subscribed;

enum status event_subscribe_at_boot(uint32_t cpu, struct event_subscription *s)
{
    must(cpu == 0 && s->handle && !s->subscribed);
    return event_subscribe(s);
}

enum status event_subscribe(struct event_subscription *s)
{
    must(!s->subscribed);
    s->subscribed = true;
    subscribed++;
    return STATUS_OK;
}

enum status event_unsubscribe(struct event_subscription *s)
{
    must(s->subscribed);
    s->subscribed = false;
    return STATUS_OK;
}

static struct event_object o;
static struct member member;

/* One in the server's process, whose first thread waits for it. The ring is allocated to the byte. */
static void create(const struct image_subscription *from)
{
    static const uint8_t priorities[THREADS] = {7, 7, 7, 7, 7, 7, 0};
    struct process *p = &world.processes[SERVER_PROCESS];
    world_create(priorities);
    free(o.ring);
    o = (struct event_object){
        .object = {.type = IMAGE_OBJECT_EVENT_SUBSCRIPTION, .process = p, .member = &member, .waitable = SIGNAL_VALID}};
    p->objects[p->object_count++] = &o.object;
    member = (struct member){.object = &o.object};
    must(event_object_load(&o, from, malloc(from->depth * sizeof(struct event))) == STATUS_OK);
}

static bool is_readable(void)
{
    return o.object.signals == SIGNAL_READABLE;
}

static enum event_response offer(enum event_kind kind, uint32_t value, uint64_t word)
{
    struct event e = {.kind = (uint16_t)kind, .cpu = 3, .value = value, .word = {word, ~word, 1}};
    return o.subscription.handle(&o.subscription, &e);
}

/* Reads with room for `room` events and some bytes, into exactly that; checks what comes against `first` and on. */
static uint32_t read_and_check(uint32_t room, uint32_t kept, uint64_t first, uint32_t lost)
{
    size_t n = room * sizeof(struct event) + world_random(sizeof(struct event));
    char *buffer = malloc(n ? n : 1);
    struct result r = event_object_read(&o, buffer, n);
    uint32_t count = room < kept ? room : kept;
    if (!count) {
        must(r.status == (room ? STATUS_UNAVAILABLE : STATUS_OUT_OF_RANGE) && r.value == 0);
    } else {
        must(r.status == STATUS_OK && r.value == (count | (uint64_t)lost << 32));
        for (uint32_t i = 0; i < count; i++) {
            struct event e;
            memcpy(&e, buffer + i * sizeof e, sizeof e);
            must(e.kind == EVENT_INTERRUPT && e.cpu == 3 && e.value == 9 && e.word[0] == first + i &&
                 e.word[1] == ~(first + i));
        }
    }
    must(is_readable() == (kept > count));
    free(buffer);
    return count;
}

Test(event_object, keeps_the_oldest_and_counts_the_rest)
{
    for (uint32_t depth = 1; depth <= 9; depth++) {
        uint64_t next = 1, first = 1; /* those in between are kept, unless they were lost */
        uint32_t kept = 0, lost = 0;
        create(&(struct image_subscription){.topics = TOPIC_INTERRUPT, .depth = depth});
        for (int i = 0; i < 3000; i++) {
            if (world_random(3)) {
                bool fits = kept < depth;
                if (fits && !kept)
                    first = next;
                must(offer(EVENT_INTERRUPT, 9, first + kept) == (fits ? EVENT_HANDLED : EVENT_ERROR));
                kept += fits;
                lost += !fits;
                next++;
                continue;
            }
            uint32_t count = read_and_check(world_random(depth + 2), kept, first, lost);
            lost = count ? 0 : lost;
            kept -= count;
            first += count;
        }
    }
}

Test(event_object, losses_end_at_the_largest_number)
{
    struct event e;
    create(&(struct image_subscription){.topics = TOPIC_TICK, .depth = 1});
    must(offer(EVENT_TICK, 0, 0) == EVENT_HANDLED);
    o.lost = UINT32_MAX - 1;
    must(offer(EVENT_TICK, 0, 0) == EVENT_ERROR && offer(EVENT_TICK, 0, 0) == EVENT_ERROR);
    must(event_object_read(&o, (char *)&e, sizeof e).value == (1 | (uint64_t)UINT32_MAX << 32));
}

/* The thread that waits gets the signal; it is raised once. */
Test(event_object, wakes)
{
    create(&(struct image_subscription){.topics = TOPIC_TICK, .depth = 4});
    while (world_running() != SERVER) {
        struct call c = {.kind = CALL_YIELD};
        world_call(&c);
    }
    struct call c = {.kind = CALL_WAIT, .object = &o.object, .mask = SIGNAL_READABLE, .deadline_ns = TIME_NEVER};
    world_call(&c);
    must(world.threads[SERVER].waiter.state == THREAD_WAIT_SIGNALS);
    must(offer(EVENT_TICK, 0, 0) == EVENT_HANDLED && offer(EVENT_TICK, 0, 0) == EVENT_HANDLED);
    must(world.threads[SERVER].waiter.state == THREAD_READY && world_told(SERVER, SIGNAL_READABLE, 0));
}

Test(event_object, tells_custom_events_by_the_place_of_their_name)
{
    const struct image_subscription two = {
        .topics = TOPIC_CUSTOM, .depth = 4, .priority = 77, .names = 2, .name = {"water", "fire"}};
    uint32_t other, water, fire;
    struct event e[3];
    must(name_intern("other", 5, &other) == STATUS_OK && name_intern("another", 7, &other) == STATUS_OK);
    must(name_intern("fire", 4, &fire) == STATUS_OK);
    create(&two);
    must(name_find("water", 5, &water) == STATUS_OK && fire != 1 && water != 0);
    must(o.subscription.names == (UINT64_C(1) << water | UINT64_C(1) << fire) && o.subscription.priority == 77);
    must(offer(EVENT_CUSTOM, EVENT_CUSTOM_VALUE(fire, 3), 5) == EVENT_HANDLED);
    must(offer(EVENT_CUSTOM, EVENT_CUSTOM_VALUE(water, 24), 6) == EVENT_HANDLED);
    must(offer(EVENT_INTERRUPT, fire, 7) == EVENT_HANDLED);
    must(event_object_read(&o, (char *)e, sizeof e).value == 3);
    must(e[0].value == EVENT_CUSTOM_VALUE(1, 3) && e[1].value == EVENT_CUSTOM_VALUE(0, 24) && e[2].value == fire);

    create(&(struct image_subscription){.topics = TOPIC_ALL, .depth = 4});
    must(offer(EVENT_CUSTOM, EVENT_CUSTOM_VALUE(fire, 3), 5) == EVENT_HANDLED);
    must(event_object_read(&o, (char *)e, sizeof e).value == 1 && e[0].value == EVENT_CUSTOM_VALUE(fire, 3));
}

Test(event_object, has_nothing_left_from_a_former_life)
{
    struct event e;
    subscribed = 0;
    create(&(struct image_subscription){.topics = TOPIC_INTERRUPT, .depth = 2});
    for (int i = 0; i < 5; i++)
        (void)offer(EVENT_INTERRUPT, 9, 1);
    must(event_object_read(&o, (char *)&e, sizeof e).status == STATUS_OK);
    (void)offer(EVENT_INTERRUPT, 9, 1);
    (void)offer(EVENT_INTERRUPT, 9, 1);
    event_object_stop(&o);
    must(!o.subscription.subscribed && !o.object.signals);
    event_object_start(&o);
    must(o.subscription.subscribed && subscribed == 2);
    must(event_object_read(&o, (char *)&e, sizeof e).status == STATUS_UNAVAILABLE);
    must(offer(EVENT_INTERRUPT, 9, 44) == EVENT_HANDLED && read_and_check(8, 1, 44, 0) == 1);
}

Test(event_object, names_may_be_too_many)
{
    char name[16];
    struct image_subscription from = {.topics = TOPIC_CUSTOM, .depth = 1, .names = 1, .name = {"one too many"}};
    uint32_t number;
    for (int i = 0; i < NAME_MAX; i++)
        (void)name_intern(name, (size_t)snprintf(name, sizeof name, "name%d", i), &number);
    memcpy(from.name[0], "one-too-many", 13);
    struct event ring;
    o = (struct event_object){.object = {.process = &world.processes[SERVER_PROCESS]}};
    must(event_object_load(&o, &from, &ring) == STATUS_RESOURCE_EXHAUSTED && !o.subscription.subscribed);
    o.ring = NULL;
}
