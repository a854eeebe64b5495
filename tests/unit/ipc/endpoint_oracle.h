/* SPDX-License-Identifier: MIT
 * Knows what every buffer in the world must hold, and what every call may give. Requests have numbers; the bytes of a
 * request follow from its number, and those of its answer too, so that it shows at once when something reaches somebody
 * it is not for, or is written late. Handlers answer what they were given last; who takes from a group through the
 * group, what it took last. */
#pragma once
#include "tests/unit/ipc/endpoint_world.h"

/* What the walk must have come across often enough. */
enum event {
    EVENT_ANSWERED,
    EVENT_ANSWERED_REMOTE,
    EVENT_EXPIRED,
    EVENT_CANCELLED,
    EVENT_PEER_DIED,
    EVENT_COLLECTED,
    EVENT_COLLECTED_REMOTE,
    EVENT_HELD,
    EVENT_ABANDONED,
    EVENT_CANCEL_WAITED, /* for an answer that was being written */
    EVENT_READ,
    EVENT_READ_UNAVAILABLE,
    EVENT_RECEIVED, /* by channel_respond_and_wait on the handler */
    EVENT_TAKEN,    /* on a group */
    EVENT_REFUSED,  /* an answer */
    EVENT_GROUP_TOLD,
    EVENT_BITS,
    EVENT_STARTED_AGAIN,
    EVENTS
};

extern uint64_t oracle_events[EVENTS];

/* After world_create. */
void oracle_create(void);

/* world_call, with buffers as they must be: what is sent is filled in; and everything that came of it is checked. The
 * call has `out` NULL or not, and so out_pieces and in_pieces, and the lengths. A member's user data is its number among
 * its process's objects. */
void oracle_call(struct call *c);
