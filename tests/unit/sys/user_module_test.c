/* SPDX-License-Identifier: MIT
 * A module that the server's process serves, in the world of the endpoint tests, with the router played by the test:
 * texts and outcomes both ways; the server alone and in a group; a death while a request is held, and what the census
 * says of each. */
#include "sys/user_module.h"

#include "mm/page.h"
#include "sys/census.h"
#include "sys/process.h"
#include "sys/router_object.h"
#include "sys/syscall/audit.h"
#include "sys/syscall/extension.h"
#include "sys/syscall/latency.h"
#include "tests/unit/ipc/endpoint_world.h"

#include <string.h>

static struct user_module module;
static struct endpoint handler;
static struct member member;
static char answer[32];
static uint32_t answers;        /* how many the router got */
static enum status outcome;     /* the last one */
static struct router_message m; /* in hand while `router.serving` */
struct syscall_hook audit_hook, latency_hook;

uint64_t page_free_bytes(void)
{
    return 0;
}

enum hook_state hook_state(const struct syscall_hook *h)
{
    return (enum hook_state)h->state;
}

const char *syscall_name(uint32_t number)
{
    (void)number;
    return NULL;
}

bool router_object_is_busy(const struct router_object *o)
{
    (void)o;
    return false;
}

bool router_object_waits(const struct router_object *o)
{
    (void)o;
    return false;
}

enum status router_register(struct router_module *r)
{
    must(!r->registered);
    r->registered = true;
    return STATUS_OK;
}

enum status router_register_at_boot(uint32_t cpu, struct router_module *r)
{
    must(cpu == 0);
    return router_register(r);
}

void router_answer(struct router_module *r, enum status s)
{
    if (!r->serving)
        return;
    r->serving = NULL;
    answers++;
    outcome = s;
}

enum status router_unregister(struct router_module *r)
{
    must(r->registered);
    router_answer(r, STATUS_UNAVAILABLE);
    r->registered = false;
    return STATUS_OK;
}

void router_write_bytes(struct router_message *to, const char *bytes, size_t n)
{
    must(to == &m && n <= USER_MODULE_ANSWER_BYTES);
    to->answer_bytes = n < sizeof answer ? n : sizeof answer;
    memcpy(answer, bytes, to->answer_bytes);
}

/* The server runs. */
static void create(void)
{
    static const uint8_t priorities[THREADS] = {7, 7, 9, 7, 7, 7, 0};
    struct process *p = &world.processes[SERVER_PROCESS];
    world_create(priorities);
    handler = (struct endpoint){
        .object = {.type = IMAGE_OBJECT_CHANNEL_HANDLER, .process = p, .member = &member, .waitable = SIGNAL_VALID}};
    member = (struct member){.object = &handler.object};
    p->objects[p->object_count++] = &handler.object;
    module = (struct user_module){0};
    user_module_load(&module, &handler, "echo", 3);
    must(user_module_register(&module) == STATUS_OK && module.router.id == USER_MODULE_FIRST + 3);
    must(user_module_of(&handler) == &module && !user_module_of(&world.handlers[0]));
    answers = 0;
    census_begin(world.processes, PROCESSES, 1);
    must(census_take());
}

static enum status ask(const char *type, const char *payload, size_t n)
{
    m = (struct router_message){.payload = payload, .payload_bytes = n, .posted = true};
    strcpy(m.type, type);
    module.router.serving = &m;
    enum status s = module.router.handle(&module.router, &m);
    if (s != ROUTER_LATER)
        module.router.serving = NULL;
    return s;
}

static void server_calls(enum call_kind kind, struct object *o, const char *out, uint64_t n)
{
    struct call c = {.kind = kind,
                     .object = o,
                     .other = &handler.object,
                     .out = out,
                     .n = n,
                     .in = world.receive[SERVER],
                     .room = BUFFER_BYTES,
                     .mask = SIGNAL_READABLE,
                     .value = 4,
                     .deadline_ns = TIME_NEVER};
    must(world_running() == SERVER);
    world_call(&c);
    must(census_take());
}

/* What makes an idle or lower CPU run who became ready. */
static void go_on(void)
{
    struct call c = {.kind = CALL_INTERRUPT};
    world_call(&c);
    must(census_take());
}

static void serve(struct object *from, const char *said, size_t n, enum status expected, const char *text)
{
    uint32_t before = answers;
    server_calls(CALL_RESPOND_AND_WAIT, from, NULL, 0);
    must(world_running() != SERVER && ask("say", "hello", 5) == ROUTER_LATER);
    go_on();
    must(world_running() == SERVER && memcmp(world.receive[SERVER], "say hello", 9) == 0 && answers == before);
    server_calls(CALL_RESPOND, &handler.object, said, n);
    must(answers == before + 1 && outcome == expected && m.answer_bytes == strlen(text));
    must(memcmp(answer, text, strlen(text)) == 0);
}

Test(user_module, texts_and_outcomes)
{
    create();
    serve(&handler.object, "\0\0\0\0hi", 6, STATUS_OK, "hi");
    must(world_got(SERVER, STATUS_OK, 0));
    serve(&handler.object, "\0\0\0\0", 4, STATUS_OK, "");
    serve(&handler.object, "\x0f\0\0\0why", 7, STATUS_DATA_LOSS, "why");
    serve(&handler.object, "\0\0\0", 3, STATUS_INTERNAL, "");
    serve(&handler.object, "", 0, STATUS_INTERNAL, "");
    server_calls(CALL_GROUP_ADD, &world.groups[SERVER_PROCESS].object, NULL, 0);
    serve(&world.groups[SERVER_PROCESS].object, "\0\0\0\0hi", 6, STATUS_OK, "hi");
}

Test(user_module, request_is_type_and_payload)
{
    static char payload[USER_MODULE_PAYLOAD_BYTES + 1];
    create();
    must(ask("help", NULL, 0) == ROUTER_LATER && handler.request_bytes == 4);
    must(memcmp(handler.request, "help", 4) == 0 && census_take());
    server_calls(CALL_READ, &handler.object, NULL, 0);
    server_calls(CALL_RESPOND, &handler.object, "\0\0\0\0", 4);
    must(ask("a-type-of-just-thirty-one-bytes", payload, sizeof payload) == STATUS_OUT_OF_RANGE);
    must(ask("a-type-of-just-thirty-one-bytes", payload, sizeof payload - 1) == ROUTER_LATER);
    must(handler.request_bytes == sizeof module.request);
    server_calls(CALL_READ, &handler.object, NULL, 0);
    server_calls(CALL_RESPOND, &handler.object, "\0\0\0\0", 4);
    m.posted = false;
    must(module.router.handle(&module.router, &m) == STATUS_UNIMPLEMENTED);
}

/* It dies, with a request that it holds or that it has not read; then it is told of none, and serves again. */
Test(user_module, death_answers)
{
    for (int read = 0; read < 2; read++) {
        create();
        must(ask("say", "x", 1) == ROUTER_LATER);
        if (read)
            server_calls(CALL_READ, &handler.object, NULL, 0);
        world_stop(&world.processes[SERVER_PROCESS]);
        must(answers == 1 && outcome == STATUS_UNAVAILABLE && !module.router.registered && census_take());
        world_deliver();
        world_revive(&world.processes[SERVER_PROCESS]);
        world_deliver();
        must(module.router.registered && !handler.object.signals && census_take());
        go_on();
        serve(&handler.object, "\0\0\0\0hi", 6, STATUS_OK, "hi");
    }
}

/* The census looks at the kernel's end too. */
Test(user_module, census_tells_what_is_wrong)
{
    create();
    module.initiator.object.signals = 0;
    must(!census_take());
    create();
    must(ask("say", "x", 1) == ROUTER_LATER && census_take());
    handler.object.signals = 0;
    must(!census_take());
}
