/* SPDX-License-Identifier: MIT
 * The ready threads of one CPU: 32 priorities, first in first out inside each, a bitmap of the ones that are not empty.
 * Every operation takes constant time. Home CPU only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sched/thread.h"

struct runq {
    uint32_t bitmap; /* bit p: head[p] is not NULL */
    struct thread *head[THREAD_PRIORITIES];
    struct thread *tail[THREAD_PRIORITIES];
};

/* Behind the others of its priority. The thread must be in no queue. */
static inline void runq_push(struct runq *q, struct thread *t)
{
    uint8_t p = t->priority;
    struct thread *last = q->tail[p];
    t->next = NULL;
    t->previous = last;
    q->tail[p] = t;
    if (last)
        last->next = t;
    else
        q->head[p] = t;
    q->bitmap |= 1u << p;
}

/* Before the others of its priority: for a thread that was preempted in the middle of its slice. */
void runq_push_front(struct runq *q, struct thread *t);

/* Takes out a thread that is in the queue. */
void runq_remove(struct runq *q, struct thread *t);

/* Takes out the most urgent thread; NULL when there is none. */
static inline struct thread *runq_pop(struct runq *q)
{
    if (!q->bitmap)
        return NULL;
    unsigned int p = 31u - (unsigned int)__builtin_clz(q->bitmap);
    struct thread *t = q->head[p];
    struct thread *second = t->next;
    q->head[p] = second;
    if (second) {
        second->previous = NULL;
    } else {
        q->tail[p] = NULL;
        q->bitmap &= ~(1u << p);
    }
    return t;
}

/* Some ready thread is more urgent than `priority`. */
static inline bool runq_beats(const struct runq *q, uint8_t priority)
{
    return (q->bitmap >> priority) > 1;
}

/* Some ready thread has exactly this priority. */
static inline bool runq_has(const struct runq *q, uint8_t priority)
{
    return q->bitmap >> priority & 1;
}

/* Invariants: bitmap against lists, links, priorities. */
bool runq_valid(const struct runq *q);
