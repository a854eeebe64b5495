/* SPDX-License-Identifier: MIT
 * The story: a call leaves every register as it is told to, whichever way it takes through the kernel, and although the
 * host lets an NMI hit each instruction of the way (ci/entry_tests.py). A round takes each way once: straight back;
 * handed off to a server and back; refused; without a number; to an equal and back; blocked until a timer interrupt
 * comes, which hits the spinner in user mode the first time and the idle kernel the second. The host leaves out the
 * first round, after which everybody waits where he will wait again, and the last, which shows that all goes on. */
#include "handles.h"
#include "tests/guest/entry/call.h"

#define ROUNDS 4
#define SPIN UINT64_C(4000000) /* instructions; of 1 ns each they last longer than the deadline */
#define DEADLINE_NS (3 * MS)
#define SLEEP_NS (20 * MS)

static void transact(const char *way, uint64_t order)
{
    uint64_t answer = 0;
    ENTRY_MAKE(way, channel_transact, STATUS_OK, sizeof answer, HANDLE_SERVER, (uint64_t)&order, sizeof order,
               (uint64_t)&answer, sizeof answer, TIME_MAX);
    check_u64(way, answer, ~order);
}

static void wait_for_the_timer(void)
{
    uint64_t spin = SPIN, answer = 0;
    ENTRY_MAKE("deadline", channel_transact, STATUS_DEADLINE_EXCEEDED, 0, HANDLE_SPINNER, (uint64_t)&spin, sizeof spin,
               (uint64_t)&answer, sizeof answer, clock_now() + DEADLINE_NS);
    spin = 0;
    ENTRY_MAKE("resume", channel_transact, STATUS_OK, sizeof answer, HANDLE_SPINNER, (uint64_t)&spin, sizeof spin,
               (uint64_t)&answer, sizeof answer, TIME_MAX);
    ENTRY_MAKE("sleep", object_wait, STATUS_DEADLINE_EXCEEDED, 0, HANDLE_SPINNER, SIGNAL_NEVER, clock_now() + SLEEP_NS);
}

int main(void)
{
    for (uint64_t round = 0; round < ROUNDS; round++) {
        ENTRY_MAKE("nop", debug_nop, STATUS_OK, 0, 0);
        transact("transact", ENTRY_ECHO);
        ENTRY_MAKE("invalid", channel_transact, STATUS_INVALID_ARGUMENT, 0, HANDLE_SERVER, 0, 8, 0, 8, TIME_MAX);
        ENTRY_MAKE("missing", extension_call, STATUS_UNIMPLEMENTED, 0, USER_CALLS - 1, 1, 2, 3, 4, 5, 6);
        transact("order", ENTRY_YIELD);
        ENTRY_MAKE("yield", thread_yield, STATUS_OK, 0, 0);
        wait_for_the_timer();
    }
    tern_success();
}
