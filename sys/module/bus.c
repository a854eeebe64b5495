/* SPDX-License-Identifier: MIT
 * The event bus, and the router that all this comes by. */
#include "ipc/event_bus.h"
#include "sys/lib/string.h"
#include "sys/machine.h"
#include "sys/module/module.h"

#include <arch/clock.h>

#define CPU_ROW_BYTES 240
#define MODULE_ROW_BYTES 300 /* names are printable, so that a byte of one becomes two at most */

static uint64_t sum(const uint64_t counts[EVENT_KINDS])
{
    uint64_t total = 0;
    for (uint32_t kind = 0; kind < EVENT_KINDS; kind++)
        total += counts[kind];
    return total;
}

static void write_kinds(struct json *j, const struct event_counts *counts)
{
    json_open(j, "kinds", '[');
    for (uint32_t kind = 0; kind < EVENT_KINDS; kind++) {
        json_open(j, NULL, '{');
        json_text(j, "kind", event_kind_name((enum event_kind)kind));
        json_number(j, "published", counts->published[kind]);
        json_number(j, "dropped", counts->dropped[kind]);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void add(struct event_counts *total, const struct event_counts *counts)
{
    for (uint32_t kind = 0; kind < EVENT_KINDS; kind++) {
        total->published[kind] += counts->published[kind];
        total->dropped[kind] += counts->dropped[kind];
    }
}

static void write_cpu(struct json *j, uint32_t cpu, const void *context)
{
    struct event_counts counts;
    (void)context;
    event_bus_counts(cpu, &counts);
    json_number(j, "subscriptions", event_bus_subscriptions(cpu));
    json_number(j, "published", sum(counts.published));
    json_number(j, "dropped", sum(counts.dropped));
    json_number(j, "delivered", counts.delivered);
    json_number(j, "handled", counts.handled);
    json_number(j, "ignored", counts.ignored);
    json_number(j, "deferred", counts.deferred);
    json_number(j, "errors", counts.errors);
}

static enum status get_stats(struct router_message *m, struct json *j)
{
    struct event_counts total = {0}, counts;
    for (uint32_t cpu = 0; cpu < machine.cpus_started; cpu++) {
        event_bus_counts(cpu, &counts);
        add(&total, &counts);
    }
    json_open(j, NULL, '{');
    json_number(j, "router_messages", router_messages_sent());
    write_kinds(j, &total);
    module_write_cpus(m, j, "cpus", CPU_ROW_BYTES, write_cpu, NULL);
    json_close(j, '}');
    return STATUS_OK;
}

static enum status get_cpu(struct router_message *m, struct json *j)
{
    const char *text = m->payload;
    size_t n = m->payload_bytes;
    uint64_t cpu;
    if (!module_number(module_word(&text, &n), &cpu) || cpu >= machine.cpus_started)
        return module_refuse(m, STATUS_INVALID_ARGUMENT, "cpu NUMBER");
    struct event_counts counts;
    event_bus_counts((uint32_t)cpu, &counts);
    json_open(j, NULL, '{');
    write_kinds(j, &counts);
    json_close(j, '}');
    return STATUS_OK;
}

static void write_module(struct json *j, const char *name, const struct router_counts *c)
{
    json_open(j, NULL, '{');
    json_text(j, "name", name);
    json_number(j, "served", c->received);
    json_number(j, "ok", c->outcomes[STATUS_OK]);
    json_number(j, "refused", c->refused);
    json_number(j, "expired", c->expired);
    json_number(j, "waited_most", c->waiting_most);
    json_number(j, "mean_ns", c->received ? clock_ticks_to_ns(c->ticks / c->received) : 0);
    json_number(j, "most_ns", clock_ticks_to_ns(c->ticks_most));
    json_close(j, '}');
}

static enum status get_modules(struct router_message *m, struct json *j)
{
    struct router_counts counts;
    uint32_t id;
    json_open(j, NULL, '{');
    json_open(j, "modules", '[');
    for (id = 0; id < ROUTER_MODULES_MAX && module_has_room(m, MODULE_ROW_BYTES); id++) {
        const char *name = router_module_name(id);
        if (name && router_counts_of(id, &counts) == STATUS_OK)
            write_module(j, name, &counts);
    }
    json_close(j, ']');
    json_bool(j, "cut", id < ROUTER_MODULES_MAX);
    json_close(j, '}');
    return STATUS_OK;
}

static enum status publish(struct router_message *m, struct json *j)
{
    const char *text = m->payload;
    size_t n = m->payload_bytes;
    struct module_word w = module_word(&text, &n);
    char name[EVENT_NAME_BYTES] = {0};
    if (w.n == 0 || w.n >= sizeof(name))
        return module_refuse(m, STATUS_INVALID_ARGUMENT, "publish NAME [DATA], a name of 31 bytes at most");
    memcpy(name, w.text, w.n);
    bool has_data = n > 0; /* from behind the blank */
    enum status s = event_publish_custom(name, text + has_data, n - has_data);
    if (s == STATUS_INVALID_ARGUMENT)
        return module_refuse(m, s, "a name is printable, and data has 24 bytes at most");
    return s == STATUS_OK ? module_done(j) : s;
}

static enum status pause(struct router_message *m, struct json *j)
{
    (void)m;
    event_bus_pause(true);
    return module_done(j);
}

static enum status resume(struct router_message *m, struct json *j)
{
    (void)m;
    event_bus_pause(false);
    return module_done(j);
}

const struct module_request bus_requests[] = {
    {"get_stats", "Events published and dropped by kind, in all, and of each CPU; its subscriptions and their answers.",
     get_stats},
    {"cpu", "NUMBER: events of one CPU by kind.", get_cpu},
    {"modules", "Each module: requests served, refused, too late; how many waited at most; from asking to the answer.",
     get_modules},
    {"publish", "NAME [DATA]: a custom event with up to 24 bytes.", publish},
    {"pause", "Nobody but this port hears of events any more.", pause},
    {"resume", "Events are delivered again.", resume},
    {0}};
