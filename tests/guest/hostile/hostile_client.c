/* SPDX-License-Identifier: MIT
 * Calls the judge with buffers that its second thread is changing, in every way that a client can. */
#include "handles.h"
#include "tests/guest/hostile/vandal.h"

static struct random randomness;

static void call(void)
{
    struct choice send = choose_buffer(&randomness, 0), receive = choose_buffer(&randomness, 1);
    uint64_t patience = random_below(&randomness, 3) ? 50 * MS : 20 * US;
    count("transact",
          channel_transact(HANDLE_ATTACK, send.address, send.n, receive.address, receive.n, clock_now() + patience));
}

/* Started, left alone while the other thread works, then collected or given up. */
static void call_async(void)
{
    struct choice send = choose_buffer(&randomness, 0), receive = choose_buffer(&randomness, 1);
    struct result r = channel_async_transact(HANDLE_ATTACK, send.address, send.n, receive.address, receive.n);
    count("start", r);
    if (r.status != STATUS_OK)
        return;
    if (random_below(&randomness, 2))
        (void)object_wait(HANDLE_ATTACK, SIGNAL_READABLE, clock_now() + 50 * MS);
    else
        thread_yield();
    r = channel_async_complete(HANDLE_ATTACK);
    count("complete", r);
    if (r.status == STATUS_FAILED_PRECONDITION)
        count("cancel", channel_async_cancel(HANDLE_ATTACK));
}

int main(void)
{
    randomness.state = seeded(88172645463325252);
    arena_prepare();
    check_ok("vandal", tern_thread_start(HANDLE_VANDAL, vandalize, HANDLE_ATTACK), 0);
    for (uint64_t i = tern_argument_u64("iterations", ROUNDS); i > 0; i--) {
        if (random_below(&randomness, 2))
            call();
        else
            call_async();
        if (i % 1000 == 0)
            check_own_guard();
    }
    log_outcomes();
    check_at_least("calls that went through", outcomes[STATUS_OK], 100);
    check_at_least("calls that were refused", outcomes[STATUS_PERMISSION_DENIED], 100);
    return 0;
}
