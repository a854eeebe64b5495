/* SPDX-License-Identifier: MIT
 * What does a question with an answer cost by two oneshots, on one CPU: make both, send, receive, send back, receive.
 */
#include "ipc/oneshot.h"
#include "perf/bench/kernel/measure.h"

ONESHOT_DEFINE(word_oneshot, uint64_t)

static struct word_oneshot question, answer;

static void round_trip(void *argument)
{
    uint64_t value = (uint64_t)argument;
    word_oneshot_init(&question);
    word_oneshot_init(&answer);
    (void)word_oneshot_send(&question, &value);
    (void)word_oneshot_try_recv(&question, &value);
    (void)word_oneshot_send(&answer, &value);
    (void)word_oneshot_try_recv(&answer, &value);
}

enum status measure_oneshot(uint64_t *ticks, size_t count)
{
    uint64_t value;
    measure_loop(ticks, count, round_trip, NULL);
    return word_oneshot_try_recv(&answer, &value) == STATUS_CANCELLED ? STATUS_OK : STATUS_INTERNAL; /* taken */
}
