/* SPDX-License-Identifier: MIT
 * The router in the running kernel: a mailbox in its order, what handlers may do, the errors; then modules on every CPU
 * that ask each other. tests/unit/ipc/router_test.c goes into more corners on played CPUs. */
#include "ipc/router.h"
#include "sys/lib/string.h"
#include "tests/guest/kernel/kernel_test.h"

enum { FIRST_ID = ROUTER_MODULES_MAX / 2, MESSAGES = ROUTER_MAILBOX + 1, ROUNDS = 40 };

static const struct router_from me = {FROM_KERNEL, 0};
static struct router_module modules[CPU_MAX];
static struct router_message messages[MESSAGES];
static char served[MESSAGES + 1];
static uint32_t served_count, done_count;
static enum status last_outcome;

/* Notes the first letter of the request. */
static enum status serve(struct router_module *module, struct router_message *m)
{
    (void)module;
    if (served_count < MESSAGES)
        served[served_count++] = m->type[0];
    return STATUS_OK;
}

static void done(struct router_message *m, enum status outcome)
{
    (void)m;
    done_count++;
    last_outcome = outcome;
}

static struct router_message *message(uint32_t i, const char *type, uint8_t priority)
{
    struct router_message *m = &messages[i];
    *m = (struct router_message){.deadline_ns = UINT64_MAX, .done = done, .priority = priority};
    memcpy(m->type, type, strlen(type) + 1);
    return m;
}

static struct router_module *module(uint32_t i, const char *name,
                                    enum status (*handle)(struct router_module *, struct router_message *))
{
    modules[i] = (struct router_module){.name = name, .id = FIRST_ID + i, .handle = handle};
    return &modules[i];
}

static const char *mailbox(void)
{
    static const char *const types[] = {"low", "1 normal", "2 normal", "high", "critical"};
    static const uint8_t priorities[] = {ROUTER_LOW, ROUTER_NORMAL, ROUTER_NORMAL, ROUTER_HIGH, ROUTER_CRITICAL};
    served_count = done_count = 0;
    MUST(router_register(module(0, "test.a", serve)) == STATUS_OK);
    for (uint32_t i = 0; i < 5; i++)
        MUST(router_post(FIRST_ID, message(i, types[i], priorities[i]), me) == STATUS_OK);
    MUST(router_post(FIRST_ID, &messages[0], me) == STATUS_FAILED_PRECONDITION); /* busy */
    MUST(served_count == 0 && done_count == 0);
    look();
    MUST(done_count == 5 && served_count == 5 && memcmp(served, "ch12l", 5) == 0);
    for (uint32_t i = 0; i < ROUTER_MAILBOX; i++)
        MUST(router_post(FIRST_ID, message(i, "x", ROUTER_NORMAL), me) == STATUS_OK);
    MUST(router_post(FIRST_ID, message(ROUTER_MAILBOX, "x", ROUTER_NORMAL), me) == STATUS_RESOURCE_EXHAUSTED);
    MUST(router_unregister(&modules[0]) == STATUS_OK && router_unregister(&modules[0]) == STATUS_NOT_FOUND);
    look();
    MUST(done_count == 5 + ROUTER_MAILBOX && last_outcome == STATUS_UNAVAILABLE && served_count == 5);
    return NULL;
}

static const char *errors(void)
{
    uint32_t id;
    struct router_message *m = message(0, "x", ROUTER_NORMAL);
    MUST(router_register(module(0, "test.a", serve)) == STATUS_OK);
    MUST(router_register(&(struct router_module){.name = "test.b", .id = FIRST_ID, .handle = serve}) ==
         STATUS_ALREADY_EXISTS);
    MUST(router_register(module(1, "test.a", serve)) == STATUS_FAILED_PRECONDITION);
    MUST(router_lookup("test.a", 6, &id) == STATUS_OK && id == FIRST_ID);
    MUST(router_lookup("test.b", 6, &id) == STATUS_NOT_FOUND);
    MUST(router_send(FIRST_ID + 1, m, me) == STATUS_NOT_FOUND);
    MUST(router_send(ROUTER_BROADCAST, m, me) == STATUS_INVALID_ARGUMENT);
    MUST(router_send(FIRST_ID, m, me) == STATUS_OK && m->from.origin == FROM_KERNEL);
    return NULL;
}

/* Registers another, asks it, and goes itself. */
static enum status act(struct router_module *self, struct router_message *m)
{
    (void)m;
    if (router_register(module(2, "test.c", serve)) != STATUS_OK)
        return STATUS_INTERNAL;
    enum status s =
        router_send(FIRST_ID + 2, message(2, "inner", ROUTER_NORMAL), (struct router_from){FROM_MODULE, self->id});
    if (s != STATUS_OK || router_unregister(&modules[2]) != STATUS_OK)
        return STATUS_INTERNAL;
    return router_unregister(self);
}

static const char *inside_a_handler(void)
{
    served_count = 0;
    MUST(router_register(module(1, "test.b", act)) == STATUS_OK);
    MUST(router_send(FIRST_ID + 1, message(1, "go", ROUTER_NORMAL), me) == STATUS_OK);
    MUST(served_count == 1 && messages[2].from.origin == FROM_MODULE && messages[2].from.number == FIRST_ID + 1);
    MUST(router_send(FIRST_ID + 1, &messages[1], me) == STATUS_NOT_FOUND);
    MUST(router_unregister(&modules[0]) == STATUS_OK && router_valid());
    return NULL;
}

const char *test_router(void)
{
    const char *broken = mailbox();
    if (!broken)
        broken = errors();
    return broken ? broken : inside_a_handler();
}

/* Each CPU's module answers with its CPU, after having asked the one of CPU 0 if the request says so. */
static struct router_message inner[CPU_MAX], outer[CPU_MAX];
static char answers[CPU_MAX][16];

static enum status answer(struct router_module *self, struct router_message *m)
{
    uint32_t cpu = cpu_index();
    enum status s = STATUS_OK;
    if (m->type[0] == 'd') {
        inner[cpu] = (struct router_message){.type = "simple", .deadline_ns = UINT64_MAX};
        s = router_send(FIRST_ID, &inner[cpu], (struct router_from){FROM_MODULE, self->id});
    }
    router_write(m, "%u", cpu);
    return s;
}

static void begin(void)
{
    static const char *const names[] = {"test.0", "test.1", "test.2", "test.3", "test.4", "test.5", "test.6", "test.7"};
    uint32_t cpu = cpu_index();
    if (cpu < sizeof(names) / sizeof(names[0]))
        (void)router_register(module(cpu, names[cpu], answer));
}

static void end(void)
{
    (void)router_unregister(&modules[cpu_index()]);
}

static uint64_t failures[CPU_MAX];

/* Asks the next CPU, which asks CPU 0, which waits for all of them and serves meanwhile. */
static void ask_around(void)
{
    uint32_t cpu = cpu_index(), to = (cpu + 1) % cpus();
    struct router_message *m = &outer[cpu];
    for (uint64_t i = 0; i < ROUNDS; i++) {
        *m = (struct router_message){
            .type = "deep", .deadline_ns = UINT64_MAX, .answer = answers[cpu], .room = sizeof(answers[cpu])};
        if (router_send(FIRST_ID + to, m, me) != STATUS_OK || answers[cpu][0] != (char)('0' + to))
            failures[cpu]++;
    }
}

static void each(void *context, uint32_t id, enum status outcome, const struct router_message *m)
{
    uint32_t *right = context;
    *right += id >= FIRST_ID && outcome == STATUS_OK && m->answer[0] == (char)('0' + (id - FIRST_ID));
}

const char *test_router_between_cpus(void)
{
    uint32_t n = cpus(), right = 0;
    begin();
    for (uint32_t cpu = 1; cpu < n; cpu++)
        MUST(partner_call(cpu, begin) == STATUS_OK);
    for (uint32_t cpu = 1; cpu < n; cpu++)
        MUST(partner_begin(cpu, ask_around) == STATUS_OK);
    ask_around();
    struct router_message *m = &outer[0];
    *m = (struct router_message){
        .type = "simple", .deadline_ns = UINT64_MAX, .answer = answers[0], .room = sizeof(answers[0])};
    (void)router_broadcast(m, me, each, &right);
    MUST(right == n);
    for (uint32_t cpu = 1; cpu < n; cpu++) /* they ask this CPU until they are through: a request serves them */
        while (partner_is_busy(cpu))
            MUST(router_send(FIRST_ID + n - 1, m, me) == STATUS_OK);
    for (uint32_t cpu = 1; cpu < n; cpu++)
        MUST(partner_call(cpu, end) == STATUS_OK);
    end();
    for (uint32_t cpu = 0; cpu < n; cpu++)
        MUST(!failures[cpu]);
    return NULL;
}
