/* SPDX-License-Identifier: MIT
 * A request from a process to the router, and the way of the answer. The thread that waits for it stands on the
 * object's list with an empty mask, which no signal matches and object_wait does not allow: so the list says who it is,
 * if there is anybody, and a deadline or an end takes it off as any waiter. */
#include "sys/router_object.h"

#include "sys/lib/string.h"
#include "sys/request.h"

static struct thread *waiting(const struct router_object *o)
{
    struct waiter *w = o->object.waiters;
    while (w && (w->state == WAITER_MEMBER || w->mask))
        w = w->next;
    return w ? thread_of_waiter(w) : NULL;
}

static void answer(struct router_object *o, struct thread *t, enum status outcome)
{
    const struct router_message *m = &o->room->message;
    if (outcome == STATUS_OK)
        memcpy(t->buffer, m->answer, m->answer_bytes < t->buffer_bytes ? m->answer_bytes : t->buffer_bytes);
    t->result = (struct result){outcome, outcome == STATUS_OK ? m->answer_bytes : 0};
    object_stop_waiting(t);
    timer_deadline_clear(t);
    sched_ready(t);
}

/* The router has nothing of it any more. */
static void handle_done(struct router_message *m, enum status outcome)
{
    struct router_object *o = m->context;
    struct thread *t = waiting(o);
    if (t)
        answer(o, t, outcome);
    object_raise_ready(&o->object, SIGNAL_WRITEABLE);
}

void router_object_load(struct router_object *o, struct router_request_room *room)
{
    o->room = room;
    o->object.signals = SIGNAL_WRITEABLE;
    room->message = (struct router_message){.answer = room->answer,
                                            .room = sizeof(room->answer),
                                            .priority = ROUTER_NORMAL,
                                            .done = handle_done,
                                            .context = o};
}

bool router_object_is_busy(const struct router_object *o)
{
    return router_is_busy(&o->room->message);
}

bool router_object_waits(const struct router_object *o)
{
    return waiting(o);
}

/* From the copy into the message; OK with the module. */
static enum status parse(struct router_request_room *room, uint64_t n, uint32_t *id)
{
    struct request r;
    enum status s = request_parse(room->request, n, &r);
    if (s != STATUS_OK)
        return s;
    memcpy(room->message.type, r.type, r.type_bytes);
    room->message.type[r.type_bytes] = '\0';
    room->message.payload = r.payload;
    room->message.payload_bytes = r.payload_bytes;
    return router_lookup(r.module, r.module_bytes, id);
}

struct result router_object_request(struct router_object *o, const char *request, uint64_t n, char *buffer,
                                    uint64_t bytes, uint64_t deadline_ns)
{
    struct router_request_room *room = o->room;
    struct thread *t = sched_current();
    uint32_t id = 0;
    if (router_object_is_busy(o))
        return result_of(STATUS_FAILED_PRECONDITION);
    if (n > ROUTER_REQUEST_BYTES)
        return result_of(STATUS_OUT_OF_RANGE);
    memcpy(room->request, request, n);
    enum status s = parse(room, n, &id);
    if (s != STATUS_OK)
        return result_of(s);
    room->message.deadline_ns = deadline_ns;
    s = router_post(id, &room->message, (struct router_from){FROM_PROCESS, t->process->index});
    if (s != STATUS_OK)
        return result_of(s);
    /* point of no return */
    object_lower(&o->object, SIGNAL_WRITEABLE);
    t->buffer = buffer;
    t->buffer_bytes = bytes;
    return object_block(&o->object, THREAD_WAIT_SIGNALS, 0, deadline_ns, NULL);
}
