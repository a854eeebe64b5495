/* SPDX-License-Identifier: MIT
 * Death and restart of the process of an end, and what the living end learns of it. Bits and level that the dead one
 * had sent go with it; what the living one sent stays. */
#include "ipc/endpoint_internal.h"

#include <arch/atomic.h>

/* Handler's process is gone: the caller learns it now. */
static void initiator_lost_peer(struct endpoint *e)
{
    e->held = false;
    object_lower(&e->object, SIGNAL_WRITEABLE);
    if (!endpoint_is_busy(e) || e->async == ASYNC_DONE)
        return;
    struct thread *t = endpoint_complete(e, result_of(STATUS_UNAVAILABLE)); /* (2) */
    object_lower(&e->object, SIGNAL_WRITEABLE);
    if (t)
        sched_ready(t);
}

void endpoint_peer_stopped(struct endpoint *e)
{
    e->dead = true;
    endpoint_meet(e);
    e->user = false;
    e->notified = 0;
    store_relaxed(&e->mail, 0); /* its announcements came before; only the dead end writes it */
    object_lower(&e->object, SIGNAL_USER);
    if (e->object.type == IMAGE_OBJECT_CHANNEL_HANDLER)
        endpoint_withdraw(e);
    else
        initiator_lost_peer(e);
    object_raise_ready(&e->object, SIGNAL_ERROR);
}

void endpoint_peer_started(struct endpoint *e)
{
    e->dead = false;
    endpoint_meet(e);
    object_lower(&e->object, SIGNAL_ERROR);
    if (e->object.type == IMAGE_OBJECT_CHANNEL_INITIATOR && !endpoint_is_busy(e))
        object_raise_ready(&e->object, SIGNAL_WRITEABLE);
}

void endpoint_stop(struct endpoint *e)
{
    if (e->remote)
        remote_stop(e);
    else
        endpoint_peer_stopped(e->peer);
    e->caller = NULL;
    e->async = ASYNC_NONE;
    endpoint_meet(e);
    e->held = false;
    e->reading = READING_NOT_BEGUN;
    e->object.signals &= SIGNAL_USER | SIGNAL_ERROR;
}

void endpoint_start(struct endpoint *e)
{
    e->object.signals &= SIGNAL_USER;
    if (e->object.type == IMAGE_OBJECT_CHANNEL_INITIATOR && !e->dead)
        e->object.signals |= SIGNAL_WRITEABLE;
    if (e->remote)
        remote_start_again(e);
    else
        endpoint_peer_started(e->peer);
}
