/* SPDX-License-Identifier: MIT
 * Three functions with the same loop, run six, three times and once as long, in turn: a sampler must find 60, 30 and 10
 * per cent of the time in them, called by round_run. A turn is much shorter than the time between two samples, so that
 * whatever else the host does falls on all three alike. iterations= says how many rounds. */
#include "handles.h"
#include "user/rt/tern.h"

#define UNIT 2000 /* turns of the loop */
#define ROUNDS 20000

static uint64_t state = 88172645463325252u;

/* Not merged with one another, since each has its own number of turns. */
#define DEFINE_WORK(name, units)                                                                                       \
    static __attribute__((noinline)) void name(void)                                                                   \
    {                                                                                                                  \
        uint64_t x = state;                                                                                            \
        for (uint32_t i = 0; i < (units)*UNIT; i++) {                                                                  \
            x ^= x << 13;                                                                                              \
            x ^= x >> 7;                                                                                               \
            x ^= x << 17;                                                                                              \
        }                                                                                                              \
        state = x;                                                                                                     \
    }
DEFINE_WORK(work_six, 6)
DEFINE_WORK(work_three, 3)
DEFINE_WORK(work_one, 1)

static __attribute__((noinline)) void round_run(void)
{
    work_six();
    work_three();
    work_one();
}

int main(void)
{
    uint64_t rounds = tern_argument_u64("iterations", 0);
    for (uint64_t i = rounds ? rounds : ROUNDS; i; i--)
        round_run();
    if (!state) /* xorshift never comes to 0 */
        tern_failure(STATUS_DATA_LOSS, "the work came to nothing");
    tern_success();
}
