/* SPDX-License-Identifier: MIT
 * How the kernel's parts talk to each other, by example: the five pieces that an introduction shows first. Each runs as
 * a test of the debug kernel, so what stands here works. All of it is with interrupts off, as all kernel code is. */
#include "ipc/channel.h"
#include "ipc/event_bus.h"
#include "ipc/name.h"
#include "ipc/oneshot.h"
#include "ipc/router.h"
#include "sys/lib/string.h"
#include "tests/guest/kernel/kernel_test.h"

/* 1. A channel of numbers with room for 16. The type gives the functions; the storage is the owner's, here a static
 * array of whole cache lines; senders on any CPU and in any context, one receiver. */
CHANNEL_DEFINE(numbers, uint64_t)

static const char *channel_example(void)
{
    static struct channel channel;
    static _Alignas(CACHE_LINE) unsigned char storage[16 * CACHE_LINE]; /* numbers_bytes(16) */
    uint64_t value = 42;
    MUST(numbers_init(&channel, storage, sizeof(storage), 16) == STATUS_OK);
    MUST(numbers_send(&channel, &value) == STATUS_OK); /* RESOURCE_EXHAUSTED: full, and the value is still ours */
    value = 0;
    MUST(numbers_try_recv(&channel, &value) == STATUS_OK && value == 42); /* UNAVAILABLE: nothing there */
    channel_close(&channel);
    MUST(numbers_try_recv(&channel, &value) == STATUS_CANCELLED); /* closed, and empty for ever */
    return NULL;
}

/* 2. A single answer: whoever asked looks when it likes; a sender that goes without one is noticed. */
ONESHOT_DEFINE(reply, uint64_t)

static const char *oneshot_example(void)
{
    static struct reply reply;
    uint64_t value = 7;
    reply_init(&reply);
    MUST(reply_try_recv(&reply, &value) == STATUS_UNAVAILABLE);
    MUST(reply_send(&reply, &value) == STATUS_OK);
    MUST(reply_try_recv(&reply, &value) == STATUS_OK && value == 7);
    return NULL;
}

/* 3. A subscription to two topics, more urgent than most. The handler is called on the CPU that subscribed, whatever
 * CPU an event comes from. */
static uint64_t created, mine;
static char data[EVENT_DATA_BYTES];

static enum event_response my_handler(struct event_subscription *s, const struct event *e)
{
    (void)s;
    switch (e->kind) {
    case EVENT_PROCESS_CREATED:
        created = e->word[0];
        return EVENT_HANDLED;
    case EVENT_CUSTOM:
        mine++;
        memcpy(data, e->word, EVENT_CUSTOM_BYTES(e->value));
        return EVENT_HANDLED;
    default:
        return EVENT_IGNORED;
    }
}

static const char *bus_example(void)
{
    static struct event_subscription subscription;
    uint32_t name;
    MUST(name_intern("my.event", 8, &name) == STATUS_OK);
    subscription = (struct event_subscription){.name = "my_handler",
                                               .handle = my_handler,
                                               .topics = TOPIC_TIMER | TOPIC_PROCESS | TOPIC_CUSTOM,
                                               .names = UINT64_C(1) << name,
                                               .priority = EVENT_PRIORITY_HIGH};
    mine = 0;
    created = UINT64_MAX;
    MUST(event_subscribe(&subscription) == STATUS_OK);

    /* 4. Publishing: an append, whatever the number of subscribers; delivered when the kernel looks at its inbox. */
    MUST(event_publish_custom("my.event", "\1\2\3", 3) == STATUS_OK);
    event_publish(EVENT_PROCESS_CREATED, 0, 5, EVENT_NOBODY, 0);
    MUST(mine == 0);
    look();
    MUST(mine == 1 && memcmp(data, "\1\2\3", 3) == 0 && created == 5);

    MUST(event_unsubscribe(&subscription) == STATUS_OK);
    MUST(event_publish_custom("my.event", NULL, 0) == STATUS_OK);
    look();
    MUST(mine == 1);
    return NULL;
}

/* 5. A module with a name, a request to it, and one to all modules there are. */
static enum status handle_request(struct router_module *module, struct router_message *m)
{
    (void)module;
    if (strcmp(m->type, "get_stats") != 0)
        return STATUS_UNIMPLEMENTED;
    router_write(m, "{\"load\":%u,\"asked_by\":%u}", 17, m->from.number); /* who asks is the router's word */
    return STATUS_OK;
}

static void each(void *context, uint32_t id, enum status outcome, const struct router_message *m)
{
    (void)m;
    if (router_module_name(id) && outcome == STATUS_OK)
        ++*(uint32_t *)context;
}

static const char *router_example(void)
{
    static struct router_module module = {.name = "example", .id = 60, .handle = handle_request};
    static char answer[1024];
    const struct router_from me = {FROM_MODULE, 61};
    struct router_message m = {
        .type = "get_stats", .deadline_ns = UINT64_MAX, .answer = answer, .room = sizeof(answer)};
    uint32_t id, answered = 0;
    MUST(router_register(&module) == STATUS_OK);
    MUST(router_lookup("example", 7, &id) == STATUS_OK);
    MUST(router_send(id, &m, me) == STATUS_OK && strcmp(answer, "{\"load\":17,\"asked_by\":61}") == 0);
    MUST(router_broadcast(&m, me, each, &answered) > 1 && answered > 1); /* the kernel's own modules as well */
    MUST(router_unregister(&module) == STATUS_OK);
    MUST(router_send(id, &m, me) == STATUS_NOT_FOUND);
    return NULL;
}

const char *test_examples(void)
{
    const char *broken = channel_example();
    if (!broken)
        broken = oneshot_example();
    if (!broken)
        broken = bus_example();
    return broken ? broken : router_example();
}
