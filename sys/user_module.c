/* SPDX-License-Identifier: MIT
 * From the router's mailbox to a process, and back. */
#include "sys/user_module.h"

#include "sys/lib/log.h"
#include "sys/lib/string.h"

static struct process kernel = {.name = "kernel"}; /* whose the initiators are; it never stops */

static struct user_module *module_of_waiter(struct kernel_waiter *w)
{
    return (struct user_module *)((char *)w - offsetof(struct user_module, over));
}

/* The whole request as one text. */
static size_t write_request(struct user_module *u, const struct router_message *m)
{
    size_t n = strlen(m->type);
    memcpy(u->request, m->type, n);
    if (m->payload_bytes) {
        u->request[n++] = ' ';
        memcpy(u->request + n, m->payload, m->payload_bytes);
    }
    return n + m->payload_bytes;
}

static enum status handle(struct router_module *module, struct router_message *m)
{
    struct user_module *u = module->context;
    if (!m->posted)
        return STATUS_UNIMPLEMENTED;
    if (m->payload_bytes > USER_MODULE_PAYLOAD_BYTES)
        return STATUS_OUT_OF_RANGE;
    endpoint_kernel_start(&u->initiator, u->request, write_request(u, m), u->answer, sizeof(u->answer));
    return ROUTER_LATER;
}

/* The outcome that the process has given, and its text. */
static enum status read_answer(const struct user_module *u, size_t n, struct router_message *m)
{
    uint32_t outcome;
    if (n < sizeof(outcome))
        return STATUS_INTERNAL;
    memcpy(&outcome, u->answer, sizeof(outcome));
    router_write_bytes(m, u->answer + sizeof(outcome), n - sizeof(outcome));
    return (enum status)outcome;
}

/* Answered; or the process stops, and then the router has been told. */
static void handle_over(struct kernel_waiter *w)
{
    struct user_module *u = module_of_waiter(w);
    struct router_message *m = u->router.serving;
    struct result r = endpoint_kernel_collect(&u->initiator);
    if (m)
        router_answer(&u->router, r.status == STATUS_OK ? read_answer(u, r.value, m) : (enum status)r.status);
}

void user_module_load(struct user_module *u, struct endpoint *h, const char *name, uint32_t number)
{
    struct endpoint *e = &u->initiator;
    e->object = (struct object){
        .type = IMAGE_OBJECT_CHANNEL_INITIATOR, .cpu = h->object.cpu, .process = &kernel, .signals = SIGNAL_WRITEABLE};
    e->peer = e->local_peer = h;
    h->peer = h->local_peer = e;
    u->over = (struct kernel_waiter){{.mask = SIGNAL_READABLE, .state = WAITER_KERNEL}, handle_over};
    object_add_waiter(&e->object, &u->over.waiter);
    u->router = (struct router_module){.name = name, .id = USER_MODULE_FIRST + number, .handle = handle, .context = u};
}

enum status user_module_register(struct user_module *u)
{
    return router_register_at_boot(u->initiator.object.cpu, &u->router);
}

struct user_module *user_module_of(const struct endpoint *h)
{
    if (h->peer->object.process != &kernel)
        return NULL;
    return (struct user_module *)((char *)h->peer - offsetof(struct user_module, initiator));
}

void user_module_stop(struct user_module *u)
{
    enum status s = router_unregister(&u->router);
    if (s != STATUS_OK)
        log_error("module '%s' was not registered", u->router.name);
}

void user_module_start(struct user_module *u)
{
    enum status s = router_register(&u->router);
    if (s != STATUS_OK)
        log_error("module '%s' cannot be registered again: its name is taken", u->router.name);
}
