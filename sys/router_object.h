/* SPDX-License-Identifier: MIT
 * Routers: the right of a process to send requests to modules (ipc/router.h). One request at a time; its thread is
 * blocked on the object until the answer comes. A thread that stops waiting before, by its deadline or its end, leaves
 * the request behind: the object is busy, not WRITEABLE, until it is answered, and nobody is told of that answer. The
 * router works on copies of request and answer, never on memory of the process. Home CPU. Legend: [I] fixed after
 * boot, [o] home CPU only. */
#pragma once
#include "ipc/object.h"
#include "ipc/router.h"

#define ROUTER_REQUEST_BYTES 512
#define ROUTER_ANSWER_BYTES 2048

struct router_request_room {
    struct router_message message;
    char request[ROUTER_REQUEST_BYTES];
    char answer[ROUTER_ANSWER_BYTES + 1]; /* and a NUL */
};

struct router_object {
    struct object object;
    struct router_request_room *room; /* [I] [o] but what is the router's while the message is busy */
};

/* Boot. */
void router_object_load(struct router_object *o, struct router_request_room *room);

/* Sends "MODULE TYPE [PAYLOAD]", `n` bytes, and waits: the module's outcome; with OK, the answer's length, and up to
 * `bytes` of it in `answer`. FAILED_PRECONDITION: a request is under way; INVALID_ARGUMENT: no module and type are
 * there; NOT_FOUND; DEADLINE_EXCEEDED, whatever becomes of the request; and errors of router_post. Blocks. */
struct result router_object_request(struct router_object *o, const char *request, uint64_t n, char *answer,
                                    uint64_t bytes, uint64_t deadline_ns);

/* A request is under way, whether or not a thread waits for it. */
bool router_object_is_busy(const struct router_object *o);

/* A thread waits for it. */
bool router_object_waits(const struct router_object *o);
