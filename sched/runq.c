/* SPDX-License-Identifier: MIT
 * Doubly linked lists by priority, so that a stopped thread leaves from the middle at once. */
#include "sched/runq.h"

void runq_push_front(struct runq *q, struct thread *t)
{
    uint8_t p = t->priority;
    struct thread *first = q->head[p];
    t->previous = NULL;
    t->next = first;
    q->head[p] = t;
    if (first)
        first->previous = t;
    else
        q->tail[p] = t;
    q->bitmap |= 1u << p;
}

void runq_remove(struct runq *q, struct thread *t)
{
    uint8_t p = t->priority;
    if (t->previous)
        t->previous->next = t->next;
    else
        q->head[p] = t->next;
    if (t->next)
        t->next->previous = t->previous;
    else
        q->tail[p] = t->previous;
    if (!q->head[p])
        q->bitmap &= ~(1u << p);
}

static bool list_valid(const struct runq *q, uint8_t p)
{
    const struct thread *before = NULL;
    for (const struct thread *t = q->head[p]; t; before = t, t = t->next)
        if (t->priority != p || t->previous != before)
            return false;
    return q->tail[p] == before && (q->head[p] != NULL) == runq_has(q, p);
}

bool runq_valid(const struct runq *q)
{
    for (uint8_t p = 0; p < THREAD_PRIORITIES; p++)
        if (!list_valid(q, p))
            return false;
    return true;
}
