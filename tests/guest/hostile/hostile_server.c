/* SPDX-License-Identifier: MIT
 * Serves the honest client with buffers that its second thread is changing, in every way that a handler can; now and
 * then not at all. */
#include "handles.h"
#include "tests/guest/hostile/vandal.h"

static struct random randomness;

static void serve(void)
{
    (void)object_wait(HANDLE_TRAP, SIGNAL_READABLE, clock_now() + 5 * MS);
    for (uint64_t i = 1 + random_below(&randomness, 3); i > 0; i--) {
        struct choice to = choose_buffer(&randomness, 0);
        count("read", channel_read(HANDLE_TRAP, random_below(&randomness, 2) * 8, to.address, to.n));
    }
    for (uint64_t i = random_below(&randomness, 4); i > 0; i--) {
        struct choice from = choose_buffer(&randomness, 1);
        count("respond", channel_respond(HANDLE_TRAP, from.address, from.n));
    }
}

/* The vector of this one means nothing: the call takes buffers in one piece only. */
static void serve_combined(void)
{
    struct choice from = choose_buffer(&randomness, 0), to = choose_buffer(&randomness, 1);
    const void *answer = random_below(&randomness, 2) ? from.address : NULL;
    count("respond and wait",
          channel_respond_and_wait(HANDLE_TRAP, answer, from.n, to.address, to.n, clock_now() + 100 * US));
}

int main(void)
{
    randomness.state = seeded(362436069362436069);
    arena_prepare();
    check_ok("vandal", tern_thread_start(HANDLE_VANDAL, vandalize, HANDLE_TRAP), 0);
    for (uint64_t i = 1; !(object_wait(HANDLE_TRAP, SIGNAL_ERROR, 0).signals & SIGNAL_ERROR); i++) {
        if (random_below(&randomness, 4))
            serve();
        else
            serve_combined();
        if (i % 1000 == 0)
            check_own_guard();
    }
    log_outcomes();
    return 0;
}
