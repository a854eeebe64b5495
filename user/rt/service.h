/* SPDX-License-Identifier: MIT
 * The loop of a service: requests, other signals and timers, one after the other in one thread, over a wait group. A
 * program describes its members, and tern_service_run calls it back for each event:
 *
 *     static struct tern_member members[] = {{.handle = HANDLE_SUM, .on_request = sum}};
 *     static struct tern_service service = {
 *         .group = HANDLE_GROUP, .members = members, .count = 1,
 *         .request = request, .room = sizeof request, .response = response};
 *
 * A client cannot harm the service: a request that is longer than `room` never arrives here and is answered with
 * nothing; an answer that is too long for the client's buffer is replaced by nothing; one that comes too late is
 * dropped. `refused` counts the first two. */
#pragma once
#include "user/rt/tern.h"

#define TERN_LATER SIZE_MAX /* instead of a length: the answer follows */

struct tern_service;

/* An object that the service waits for. */
struct tern_member {
    uint32_t handle;

    /* A handler end: a request of n bytes is in s->request. Gives the length of the answer in s->response, which may be
     * the same memory; or TERN_LATER, and channel_respond(m->handle, ...) answers it some time. NULL: none are taken.
     */
    size_t (*on_request)(struct tern_service *s, const struct tern_member *m, size_t n);

    /* One of the signals in `mask`, which is beside requests, is active; `signals` are all that are. It is called again
     * as long as that is so: the program takes, acknowledges, joins, completes. ERROR is told once. */
    void (*on_signals)(struct tern_service *s, const struct tern_member *m, uint32_t signals);
    uint32_t mask;
};

/* Something to do at a certain time, once. */
struct tern_timer {
    void (*on_time)(struct tern_service *s, struct tern_timer *t);
    uint64_t deadline_ns;    /* while it is set */
    struct tern_timer *next; /* the service's: not for the program */
};

struct tern_service {
    uint32_t group; /* handle of a wait group with no members yet */
    struct tern_member *members;
    uint32_t count;
    void *request; /* buffer for requests, `room` bytes; TERN_MESSAGE_ALIGNMENT */
    size_t room;
    const void *response;
    struct tern_timer *timers; /* those that are set, the next one first */
    bool stop;                 /* set by the program: the loop ends after this event */
    uint64_t refused;          /* requests and answers that were too long */
};

/* Makes the members members of the group and serves until `stop`: OK, and they are members no more. Otherwise what was
 * wrong with the description. Timers do not wait for messages nor messages for timers: if both are there they take
 * turns. */
enum status tern_service_run(struct tern_service *s);

/* Calls t->on_time at or after the deadline; one that was set is moved. */
void tern_timer_set(struct tern_service *s, struct tern_timer *t, uint64_t deadline_ns);

/* Sets it no more, if it was. */
void tern_timer_stop(struct tern_service *s, struct tern_timer *t);
