/* SPDX-License-Identifier: MIT
 * A wait group: one thing to wait for that stands for many objects. A member is an object of the same process with a
 * mask and 64 bits of user data; it stands on the object's list of waiters for good, so an object that is in no group
 * pays nothing. Members that are signalled are in the group's queue, once each, and are given out first in, first out;
 * one that stays signalled goes to the back, so none starves. A member whose signal has fallen stays in the queue until
 * it is looked at: each raise pays for at most one such look, and everything is constant time.
 *
 * Two ways to wait. object_wait reports a member: its signals as they are, level-type, as often as they are there.
 * channel_respond_and_wait takes a request out: a handler whose request was taken is not given out again for READABLE,
 * answered or not, so the answer may come later, in any order. Nor is one whose request was read by its own handle,
 * but that is still there for object_wait, and stands in a queue that nobody else looks at. All on the home CPU of the
 * process. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ipc/object.h"

struct member_queue {
    struct member *first, *last;
};

struct wait_group {
    struct object object;      /* its waiters are threads; its own signals are not used */
    struct member_queue fresh; /* [o] signalled members */
    struct member_queue read;  /* [o] those of them that have nothing but a request, which was read */
    uint32_t queued;           /* [o] in both */
    uint32_t members;          /* [o] */
    bool read_first;           /* [o] which one object_wait looks at first: by turns, so that neither starves */
};

/* An object's place in a group. One per object, made with it. */
struct member {
    struct waiter waiter; /* [o] WAITER_MEMBER, on object->waiters while it is in a group */
    struct object *object;
    struct wait_group *group;       /* [o] NULL: in none */
    uint64_t user_data;             /* [o] */
    struct member_queue *queue;     /* [o] of the group, where it is; or NULL */
    struct member *next, *previous; /* [o] there */
};

static inline struct member *member_of_waiter(struct waiter *w)
{
    return (struct member *)((char *)w - offsetof(struct member, waiter));
}

/* Waits until a member is signalled: OK with its signals and user data. INVALID_ARGUMENT without members, also when the
 * last one is removed meanwhile. READABLE must be in the mask to be woken. */
struct result wait_group_wait(struct wait_group *g, uint32_t mask, uint64_t deadline_ns);

/* Waits for a request of any member, or for another signal. OK: the member's user data; above the status, the length of
 * the request, of which up to `room` bytes were copied, with RESULT_REQUEST, or the member's signals. `woken`: see
 * object_block. */
struct result wait_group_take_request(struct wait_group *g, char *buffer, uint64_t room, uint64_t deadline_ns,
                                      struct thread *woken);

/* A thread becomes able to run, if it waited: as object_raise. INVALID_ARGUMENT bad mask, or a group; UNIMPLEMENTED the
 * object has no signals; RESOURCE_EXHAUSTED it is in a group already. */
enum status wait_group_add(struct wait_group *g, struct object *o, uint32_t mask, uint64_t user_data,
                           struct thread **woken);

/* NOT_FOUND: it is not in this group. */
enum status wait_group_remove(struct wait_group *g, struct object *o);

/* The member's object raised a signal of its mask: as object_raise, for the group's waiters. */
struct thread *wait_group_signal(struct member *m);

/* The process of this object stops: it is in no group any more, and if it is one, has no members. */
void wait_group_forget(struct object *o);
