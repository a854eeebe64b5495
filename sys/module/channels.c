/* SPDX-License-Identifier: MIT
 * Messages under way: the inboxes between CPUs, and the channels between processes. */
#include "ipc/endpoint.h"
#include "sched/inbox.h"
#include "sys/load.h"
#include "sys/module/module.h"

#include <arch/atomic.h>

#define CPU_ROW_BYTES 140

/* Ends by state. Remote looks: each a word or less, of storage that stays. */
struct ends {
    uint32_t initiators, asking, held;
    uint32_t handlers, pending, being_read;
    uint32_t peer_gone, remote;
};

static void count_end(struct ends *ends, const struct endpoint *e)
{
    ends->remote += e->remote;
    ends->peer_gone += load_relaxed(&e->dead);
    if (e->object.type == IMAGE_OBJECT_CHANNEL_INITIATOR) {
        ends->initiators++;
        ends->asking += load_relaxed(&e->caller) || load_relaxed(&e->async) == ASYNC_PENDING;
        ends->held += load_relaxed(&e->held);
        return;
    }
    bool readable = load_relaxed(&e->object.signals) & SIGNAL_READABLE;
    bool begun = load_relaxed(&e->reading) & READING_BEGUN;
    ends->handlers++;
    ends->pending += readable && !begun;
    ends->being_read += readable && begun;
}

static void count_ends(struct ends *ends)
{
    uint32_t count;
    const struct process *processes = load_processes(&count);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < processes[i].object_count; k++) {
            const struct object *o = processes[i].objects[k];
            if (o->type == IMAGE_OBJECT_CHANNEL_HANDLER || o->type == IMAGE_OBJECT_CHANNEL_INITIATOR)
                count_end(ends, (const struct endpoint *)o);
        }
}

static void write_ends(struct json *j)
{
    struct ends ends = {0};
    count_ends(&ends);
    json_number(j, "transactions", ends.asking);
    json_number(j, "initiators", ends.initiators);
    json_number(j, "held_back", ends.held);
    json_number(j, "handlers", ends.handlers);
    json_number(j, "requests_unread", ends.pending);
    json_number(j, "requests_read", ends.being_read);
    json_number(j, "peer_gone", ends.peer_gone);
    json_number(j, "between_cpus", ends.remote);
}

static void write_inbox(struct json *j, uint32_t cpu, const void *context)
{
    struct channel_stats s = channel_stats(&cpu_ptr(cpu, inbox)->channel); /* remote look: made for it */
    (void)context;
    json_number(j, "sent", s.sent);
    json_number(j, "received", s.received);
    json_number(j, "rejected", s.rejected);
    json_number(j, "waiting", s.len);
    json_number(j, "capacity", s.capacity);
}

static enum status get_stats(struct router_message *m, struct json *j)
{
    json_open(j, NULL, '{');
    write_ends(j);
    module_write_cpus(m, j, "inboxes", CPU_ROW_BYTES, write_inbox, NULL);
    json_close(j, '}');
    return STATUS_OK;
}

const struct module_request channels_requests[] = {
    {"get_stats", "Ends of channels and requests by state; of each CPU the messages from others.", get_stats}, {0}};
