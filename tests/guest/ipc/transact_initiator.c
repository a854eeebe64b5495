/* SPDX-License-Identifier: MIT
 * The story: an initiator talks to two handlers, on its own CPU or on another one. Messages of 0 to 4096 bytes, aligned
 * or not, come back as they went. Handlers that try to cheat are refused without harm (transact_plain.c,
 * transact_combined.c). Deadlines that are past return at once, deadlines that pass are never early, and nothing is
 * written after them; the channel works on. Handles and buffers that are wrong: tests/guest/syscall/arguments/main.c.
 */
#include "handles.h"
#include "tests/guest/ipc/transact.h"

static unsigned char out[MESSAGE_MAX + 64] __attribute__((aligned(8)));
static unsigned char in[MESSAGE_MAX + 64] __attribute__((aligned(8)));

#define UNTOUCHED 0xa5

static void echo(uint32_t handle, size_t n, size_t skew, uint64_t seed)
{
    for (size_t i = 0; i < n; i++)
        out[skew + i] = message_byte(i, seed);
    memset(in, UNTOUCHED, sizeof in);
    check_ok("echo", channel_transact(handle, out + skew, n, in + skew, MESSAGE_MAX, TIME_MAX), n);
    for (size_t i = 0; i < n; i++)
        check_u64("echoed byte", in[skew + i], message_byte(i, seed));
    check_u64("byte before an echo", skew ? in[skew - 1] : UNTOUCHED, UNTOUCHED);
    check_u64("byte after an echo", in[skew + n], UNTOUCHED);
}

/* Every short length, then odd steps up to the longest; the last in place. */
static void try_lengths(uint32_t handle)
{
    for (size_t n = 0; n <= 160; n++)
        echo(handle, n, n % 9, n);
    for (size_t n = 161; n < MESSAGE_MAX; n += 197)
        echo(handle, n, n % 8, n);
    echo(handle, MESSAGE_MAX, 0, 5);
    check_ok("echo in place", channel_transact(handle, in, MESSAGE_MAX, in, MESSAGE_MAX, TIME_MAX), MESSAGE_MAX);
    check_u64("byte echoed in place", in[MESSAGE_MAX - 1], message_byte(MESSAGE_MAX - 1, 5));
}

static struct result ask(uint32_t handle, enum operation operation, uint64_t argument, size_t receive_bytes,
                         uint64_t deadline)
{
    struct command command = {COMMAND_MAGIC, operation, argument};
    memset(in, UNTOUCHED, sizeof in);
    return channel_transact(handle, &command, sizeof command, in, receive_bytes, deadline);
}

static void try_cheats(void)
{
    size_t n = sizeof(struct command);
    check_ok("offsets", ask(HANDLE_PLAIN, OPERATION_OFFSETS, 0, n, TIME_MAX), n);
    check_ok("too long", ask(HANDLE_PLAIN, OPERATION_TOO_LONG, 40, 40, TIME_MAX), 40);
    check_ok("too long, combined", ask(HANDLE_COMBINED, OPERATION_TOO_LONG, 40, 40, TIME_MAX), 40);
    check_u64("byte after an answer", in[40], UNTOUCHED);
    uint64_t wake = clock_now() + 2 * MS;
    check_ok("idle", ask(HANDLE_COMBINED, OPERATION_IDLE, wake, n, TIME_MAX), n);
    check_sleep_until(HANDLE_PLAIN, wake + 20 * MS);
}

/* The best of several: a busy host may stop this machine at any moment. */
static void try_past_deadline(uint32_t handle)
{
    uint64_t least = UINT64_MAX;
    for (uint64_t i = 0; i < 8; i++) {
        uint64_t start = clock_now();
        uint64_t deadline = i % 2 ? start - 1 : 0;
        check_refused("deadline in the past", ask(handle, OPERATION_OFFSETS, 0, 24, deadline),
                      STATUS_DEADLINE_EXCEEDED);
        check_refused("wait in the past", object_wait(handle, SIGNAL_NEVER, deadline), STATUS_DEADLINE_EXCEEDED);
        uint64_t took = clock_now() - start;
        least = took < least ? took : least;
    }
    check_at_most("nanoseconds to give up at once", least, 1 * MS);
}

/* Gives up after 2 ms; the handler answers 200 ms later, is refused, and nothing arrives. The times are far apart
 * because an emulated CPU may stand still for tens of milliseconds: an answer that comes before the timer interrupt is
 * taken. */
static void try_expiry(uint32_t handle)
{
    uint64_t deadline = clock_now() + 2 * MS;
    struct result r = ask(handle, OPERATION_LATE, deadline + 200 * MS, 64, deadline);
    uint64_t now = clock_now();
    check_refused("expired transact", r, STATUS_DEADLINE_EXCEEDED);
    check_at_least("time after an expired transact", now, deadline);
    check_sleep_until(handle, deadline + 500 * MS);
    for (size_t i = 0; i < 64; i++)
        check_u64("byte after the deadline", in[i], UNTOUCHED);
    echo(handle, 100, 0, 1);
}

static void try_signals(void)
{
    check_signals("wait for an idle channel", object_wait(HANDLE_PLAIN, SIGNAL_WRITEABLE, 0), SIGNAL_WRITEABLE);
}

int main(void)
{
    try_lengths(HANDLE_PLAIN);
    try_lengths(HANDLE_COMBINED);
    try_cheats();
    try_past_deadline(HANDLE_PLAIN);
    try_past_deadline(HANDLE_COMBINED);
    try_expiry(HANDLE_PLAIN);
    try_expiry(HANDLE_COMBINED);
    try_signals();
    echo(HANDLE_PLAIN, 64, 0, 2);
    echo(HANDLE_COMBINED, 64, 0, 3);
    tern_success();
}
