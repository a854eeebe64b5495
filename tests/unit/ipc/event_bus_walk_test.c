/* SPDX-License-Identifier: MIT
 * What handlers do to each other while an event is delivered, exhaustively. */
#include "ipc/event_bus.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <string.h>
#include "tests/unit/cpus/cpus.h"
#include "tests/unit/ipc/event_bus_world.h"

/* Every way in which three handlers can act on each other during one delivery, against a plain rule: at each step the
 * next to be called is the first, by priority and id, behind the last one called, of those that were there when the
 * event came and are still there and not paused. */
enum act { ACT_NONE, ACT_LEAVE, ACT_SEND_AWAY, ACT_PAUSE, ACT_BRING, ACT_MOVE, ACT_NEST, ACTS };

static struct {
    enum act act[3];
} script;

static struct event_subscription *member(char letter)
{
    return &listeners[letter - 'a'].s;
}

/* The next in turn, a to c. */
static struct listener *other(const struct listener *l)
{
    return &listeners[(l->letter - 'a' + 1) % 3];
}

static void act_out(struct listener *l, const struct event *e)
{
    struct event inner = {.kind = EVENT_CPU_HOTPLUG};
    struct listener *o = other(l);
    if (e->kind != EVENT_SHUTDOWN)
        return;
    switch (script.act[l->letter - 'a']) {
    case ACT_LEAVE:
        (void)event_unsubscribe(&l->s);
        break;
    case ACT_SEND_AWAY:
        (void)event_unsubscribe(&o->s);
        break;
    case ACT_PAUSE:
        o->s.paused = !o->s.paused;
        break;
    case ACT_BRING:
        (void)event_subscribe(member((char)('d' + l->letter - 'a')));
        break;
    case ACT_MOVE: /* goes and comes back: another subscription */
        if (event_unsubscribe(&o->s) == STATUS_OK)
            (void)event_subscribe(&o->s);
        break;
    case ACT_NEST:
        (void)event_publish_sync(&inner);
        break;
    default:
        break;
    }
}

/* The rule, on a copy of what the list says: who is in it, with what id. */
struct seat {
    bool here, paused;
    uint64_t id;
};

static int rule_next(const struct seat *seats, uint64_t newest, uint64_t last_priority, uint64_t last_id)
{
    int best = -1;
    for (int i = 0; i < 6; i++) {
        uint64_t priority = listeners[i].s.priority;
        bool behind = priority > last_priority || (priority == last_priority && seats[i].id > last_id);
        if (!seats[i].here || seats[i].id > newest || !behind)
            continue;
        if (best < 0 || priority < listeners[best].s.priority ||
            (priority == listeners[best].s.priority && seats[i].id < seats[best].id))
            best = i;
    }
    return best;
}

static void rule(struct seat *seats, uint64_t *ids, bool acts, char *expected)
{
    uint64_t newest = *ids, last_id = 0, last_priority = 0;
    for (int i; (i = rule_next(seats, newest, last_priority, last_id)) >= 0;) {
        last_priority = listeners[i].s.priority;
        last_id = seats[i].id;
        if (seats[i].paused)
            continue;
        expected[strlen(expected)] = listeners[i].letter;
        if (!acts || i > 2)
            continue;
        struct seat *o = &seats[(i + 1) % 3];
        switch (script.act[i]) {
        case ACT_LEAVE:
            seats[i].here = false;
            break;
        case ACT_SEND_AWAY:
            o->here = false;
            break;
        case ACT_PAUSE:
            o->paused = !o->paused;
            break;
        case ACT_BRING:
            seats[i + 3] = (struct seat){true, false, ++*ids};
            break;
        case ACT_MOVE:
            if (o->here)
                o->id = ++*ids;
            break;
        case ACT_NEST:
            rule(seats, ids, false, expected);
            break;
        default:
            break;
        }
    }
}

static void play(const uint8_t priorities[3])
{
    char expected[64] = "";
    struct seat seats[6] = {0};
    uint64_t ids = 3;
    create(1);
    for (char c = 'd'; c <= 'f'; c++)
        listener(c, TOPIC_SYSTEM, EVENT_PRIORITY_NORMAL);
    for (char c = 'a'; c <= 'c'; c++) {
        subscribed(c, TOPIC_SYSTEM, priorities[c - 'a'])->acts = act_out;
        seats[c - 'a'] = (struct seat){true, false, (uint64_t)(c - 'a' + 1)};
    }
    event_publish(EVENT_SHUTDOWN, 0, 0, 0, 0);
    cpus_settle();
    rule(seats, &ids, true, expected);
    trace_is(expected);
    for (int i = 0; i < 6; i++)
        cr_assert(eq(int, listeners[i].s.subscribed, seats[i].here));
}

Test(event_bus_walk, every_way_to_act_on_each_other)
{
    static const uint8_t orders[][3] = {{128, 128, 128}, {64, 128, 192}, {192, 128, 64}, {128, 64, 192}};
    for (size_t o = 0; o < sizeof(orders) / sizeof(orders[0]); o++)
        for (uint32_t i = 0; i < ACTS * ACTS * ACTS; i++) {
            script.act[0] = i % ACTS;
            script.act[1] = i / ACTS % ACTS;
            script.act[2] = i / ACTS / ACTS;
            play(orders[o]);
        }
}
