/* SPDX-License-Identifier: MIT
 * Long random walks on three CPUs: modules come, move, put off, answer and go; requests are sent and posted, with
 * deadlines or without, by tests, by handlers and by those who are told. After every step what each CPU has is in
 * order; whoever is told was owed an answer; in the end nobody is owed one. */
#include "tests/unit/ipc/router_world.h"

enum { TOYS = 8, ASKS = 150, IDS = 5, STEPS = 100000 };

static struct toy toys[TOYS];
static struct ask asks[ASKS], sends[ASKS];
static uint32_t owed, accepted, nested, outcomes[STATUS_COUNT];

TestSuite(router_walk, .init = world_begin);

static uint32_t random_below(uint32_t n)
{
    static uint64_t state = 88172645463325252u;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % n);
}

static void told(struct ask *a)
{
    cr_assert(eq(u32, a->told, 1));
    cr_assert(owed > 0);
    owed--;
    outcomes[a->outcome]++;
}

static uint64_t some_deadline(void)
{
    return random_below(3) ? UINT64_MAX : world_now + random_below(40);
}

static void post_one(void)
{
    struct ask *a = &asks[random_below(ASKS)];
    if (router_is_busy(&a->m))
        return;
    world_ask(a, 'A');
    a->then = told;
    a->m.deadline_ns = some_deadline();
    bool ok = world_post(random_below(IDS), a, random_below(ROUTER_PRIORITIES)) == STATUS_OK;
    cr_assert(eq(int, router_is_busy(&a->m), ok));
    owed += ok;
    accepted += ok;
}

static void send_one(void)
{
    struct ask *a = &sends[random_below(ASKS)];
    if (router_is_busy(&a->m))
        return;
    world_ask(a, 'S');
    a->m.deadline_ns = some_deadline();
    enum status status = world_send(random_below(IDS), a);
    cr_assert(status == STATUS_DEADLINE_EXCEEDED || !router_is_busy(&a->m));
}

/* The toy whose home is this CPU, or that has none. */
static void come_or_go(struct toy *t)
{
    if (!t->module.registered)
        (void)world_register(t, cpu_index(), random_below(IDS), (const char *const[]){"a", "b", "c"}[random_below(3)]);
    else if (t->module.cpu == cpu_index() && random_below(5) == 0)
        must(router_unregister(&t->module), OK);
}

static void answer(struct toy *t)
{
    if (t->module.cpu == cpu_index() && t->data == 0)
        router_answer(&t->module, random_below(2) ? STATUS_OK : STATUS_ABORTED);
}

static enum status serve(struct toy *t, struct router_message *m)
{
    world_trace[0] = '\0';
    world_now += random_below(3);
    nested++;
    t->data++; /* its handlers under way */
    uint32_t what = random_below(12);
    if (what == 0)
        send_one();
    else if (what < 3)
        post_one();
    else if (what == 3)
        come_or_go(t);
    else if (what == 4)
        router_answer(&t->module, STATUS_ABORTED);
    t->data--;
    return m->posted && random_below(3) == 0 ? ROUTER_LATER : STATUS_OK;
}

static void do_something(void)
{
    uint32_t what = random_below(100);
    struct toy *t = &toys[random_below(TOYS)];
    if (what < 30)
        post_one();
    else if (what < 40)
        send_one();
    else if (what < 44 && t->data == 0)
        come_or_go(t);
    else if (what < 55)
        answer(t);
    else
        (void)world_step();
}

/* Others go on, or only the time. */
static void meanwhile(void)
{
    world_now += random_below(4);
    if (random_below(4))
        world_others();
}

Test(router_walk, whatever_was_accepted_is_answered_once)
{
    for (uint32_t i = 0; i < TOYS; i++)
        toys[i].serve = serve;
    world_pause = meanwhile;
    for (uint32_t step = 0; step < STEPS; step++) {
        world_trace[0] = '\0';
        world_enter(random_below(CPUS));
        world_now++;
        do_something();
        cr_assert(world_is_valid());
    }
    for (uint32_t i = 0; i < TOYS; i++)
        if (toys[i].module.registered) {
            world_enter(toys[i].module.cpu);
            must(router_unregister(&toys[i].module), OK);
        }
    world_settle();
    cr_assert(eq(u32, owed, 0));
    for (uint32_t i = 0; i < ASKS; i++)
        cr_assert(not(router_is_busy(&asks[i].m) || router_is_busy(&sends[i].m)));
    cr_assert(accepted > STEPS / 10 && nested > STEPS / 10);
    cr_assert(outcomes[STATUS_OK] && outcomes[STATUS_ABORTED] && outcomes[STATUS_UNAVAILABLE] &&
              outcomes[STATUS_DEADLINE_EXCEEDED] && outcomes[STATUS_RESOURCE_EXHAUSTED]);
}
