/* SPDX-License-Identifier: MIT
 * The story: a request is read as often as the handler likes, whole or from any offset up to its end, and past the end
 * not at all; it stays pending until it is answered, and then nothing is left to read. Empty requests and answers are
 * messages like any other. */
#include "conductor.h"

#define REQUEST_BYTES 100

static unsigned char buffer[REQUEST_BYTES + 8];

static void read_and_check(size_t offset, size_t n, size_t expected)
{
    unsigned char whole[REQUEST_BYTES];
    fill(whole, sizeof whole, 1);
    memset(buffer, 0xa5, sizeof buffer);
    check_ok("read", channel_read(HANDLE_IPC, offset, buffer, n), expected);
    check_u64("bytes read", (uint64_t)memcmp(buffer, whole + offset, expected), 0);
    check_u64("byte after those read", buffer[expected], 0xa5);
}

static void refuse_both(const char *what)
{
    check_refused(what, channel_read(HANDLE_IPC, 0, buffer, 8), STATUS_UNAVAILABLE);
    check_refused(what, channel_respond(HANDLE_IPC, buffer, 8), STATUS_UNAVAILABLE);
    check_quiet(what, HANDLE_IPC, SIGNAL_READABLE);
}

static void read_everywhere(void)
{
    for (int i = 0; i < 2; i++)
        read_and_check(0, REQUEST_BYTES, REQUEST_BYTES);
    read_and_check(0, sizeof buffer - 1, REQUEST_BYTES);
    read_and_check(40, sizeof buffer - 1, 60);
    read_and_check(50, 10, 10);
    read_and_check(99, 8, 1);
    read_and_check(REQUEST_BYTES, 8, 0);
    read_and_check(3, 0, 0);
    check_refused("past the end", channel_read(HANDLE_IPC, REQUEST_BYTES + 1, buffer, 8), STATUS_OUT_OF_RANGE);
    check_refused("far past the end", channel_read(HANDLE_IPC, SIZE_MAX, buffer, 8), STATUS_OUT_OF_RANGE);
    check_ok("exact read", tern_read_exact(HANDLE_IPC, 90, buffer, 10), 10);
    check_refused("short read", tern_read_exact(HANDLE_IPC, 90, buffer, 11), STATUS_OUT_OF_RANGE);
    check_signals("signals of a request that was read", object_wait(HANDLE_IPC, SIGNAL_READABLE, 0), SIGNAL_READABLE);
}

static void read_one(void)
{
    (void)puppet_do(&caller, DO(FILL, MEMORY(0), REQUEST_BYTES, 1));
    puppet_begin(&caller, CALL(channel_transact, CALLER_IPC, MEMORY(0), REQUEST_BYTES, MEMORY(4096), 64, TIME_MAX));
    check_signals("request", object_wait(HANDLE_IPC, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
    read_everywhere();
    fill(buffer, 64, 2);
    check_ok("answer", channel_respond(HANDLE_IPC, buffer, 64), 0);
    refuse_both("after the answer");
    check_ok("answer", puppet_end(&caller), 64);
    check_ok("bytes of the answer", puppet_do(&caller, DO(COMPARE, MEMORY(4096), 64, 2)), 64);
}

static void read_nothing(void)
{
    puppet_begin(&caller, CALL(channel_transact, CALLER_IPC, 0, 0, 0, 0, TIME_MAX));
    check_signals("empty request", object_wait(HANDLE_IPC, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
    check_ok("empty request", channel_read(HANDLE_IPC, 0, buffer, sizeof buffer), 0);
    check_refused("past its end", channel_read(HANDLE_IPC, 1, buffer, 8), STATUS_OUT_OF_RANGE);
    check_refused("answer where nothing fits", channel_respond(HANDLE_IPC, buffer, 1), STATUS_OUT_OF_RANGE);
    check_ok("empty answer", channel_respond(HANDLE_IPC, NULL, 0), 0);
    check_ok("empty answer", puppet_end(&caller), 0);
}

void story_read(void)
{
    refuse_both("nothing pending");
    read_one();
    read_nothing();
    refuse_both("in the end");
}
