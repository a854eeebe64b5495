/* SPDX-License-Identifier: MIT
 * The run queue against a plain model: every operation in random order, the invariant after each step. */
#include "sched/runq.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 40

static struct thread threads[THREADS];
static struct runq q;

static void setup(void)
{
    memset(&q, 0, sizeof(q));
    for (int i = 0; i < THREADS; i++)
        threads[i] = (struct thread){.priority = (uint8_t)(i % THREAD_PRIORITIES)};
}

Test(runq, empty_gives_null, .init = setup)
{
    cr_assert(eq(ptr, runq_pop(&q), NULL));
    cr_assert(not(runq_beats(&q, 0)));
}

Test(runq, most_urgent_first, .init = setup)
{
    runq_push(&q, &threads[3]);
    runq_push(&q, &threads[31]);
    runq_push(&q, &threads[0]);
    cr_assert(runq_beats(&q, 30));
    cr_assert(not(runq_beats(&q, 31)));
    cr_assert(eq(ptr, runq_pop(&q), &threads[31]));
    cr_assert(eq(ptr, runq_pop(&q), &threads[3]));
    cr_assert(eq(ptr, runq_pop(&q), &threads[0]));
}

Test(runq, first_in_first_out_inside_a_priority, .init = setup)
{
    runq_push(&q, &threads[5]);
    runq_push(&q, &threads[5 + 32]);
    struct thread third = {.priority = 5};
    runq_push_front(&q, &third);
    cr_assert(eq(ptr, runq_pop(&q), &third));
    cr_assert(eq(ptr, runq_pop(&q), &threads[5]));
    cr_assert(eq(ptr, runq_pop(&q), &threads[5 + 32]));
}

/* The model: position in the queue as a number, lower is earlier. */
static long order[THREADS];

static int model_best(void)
{
    int best = -1;
    for (int i = 0; i < THREADS; i++)
        if (order[i] && (best < 0 || threads[i].priority > threads[best].priority ||
                         (threads[i].priority == threads[best].priority && order[i] < order[best])))
            best = i;
    return best;
}

Test(runq, agrees_with_the_model, .init = setup)
{
    long back = 1000000, front = 999999;
    srand(1);
    for (int step = 0; step < 200000; step++) {
        int i = rand() % THREADS, what = rand() % 4;
        if (what == 0) {
            int best = model_best();
            struct thread *t = runq_pop(&q);
            cr_assert(eq(ptr, t, best < 0 ? NULL : &threads[best]));
            if (best >= 0)
                order[best] = 0;
        } else if (order[i] && what == 1) {
            runq_remove(&q, &threads[i]);
            order[i] = 0;
        } else if (!order[i] && what == 2) {
            runq_push(&q, &threads[i]);
            order[i] = back++;
        } else if (!order[i] && what == 3) {
            runq_push_front(&q, &threads[i]);
            order[i] = front--;
        }
        cr_assert(runq_valid(&q));
    }
}
