/* SPDX-License-Identifier: MIT
 * The story: an answer that is one byte longer than the initiator's buffer is refused, and the initiator still waits;
 * one that fits arrives with its own length, and no byte beyond it changes. A request is answered once, and only after
 * it was read. The call that answers and waits holds to the same rules, and waits for nothing if it is refused. */
#include "conductor.h"

#define ROOM 20
#define RECEIVE 4096

static unsigned char buffer[64];

static void ask(void)
{
    (void)puppet_do(&caller, DO(FILL, MEMORY(RECEIVE), ROOM, 3));
    (void)puppet_do(&caller, DO(FILL, MEMORY(RECEIVE + ROOM), 64, 4));
    puppet_begin(&caller, CALL(channel_transact, CALLER_IPC, MEMORY(0), 8, MEMORY(RECEIVE), ROOM, TIME_MAX));
    check_signals("request", object_wait(HANDLE_IPC, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
    check_refused("answer before reading", channel_respond(HANDLE_IPC, buffer, 8), STATUS_UNAVAILABLE);
    check_ok("zero bytes read", channel_read(HANDLE_IPC, 0, NULL, 0), 0);
    fill(buffer, sizeof buffer, 5);
}

/* n bytes of seed 5 have arrived, the others are what they were. */
static void check_arrived(size_t n)
{
    check_ok("length of the answer", puppet_end(&caller), n);
    check_ok("bytes of the answer", puppet_do(&caller, DO(COMPARE, MEMORY(RECEIVE), n, 5)), n);
    check_ok("bytes after the buffer", puppet_do(&caller, DO(COMPARE, MEMORY(RECEIVE + ROOM), 64, 4)), 64);
    if (n == ROOM)
        return;
    struct result r = puppet_do(&caller, DO(PEEK, MEMORY(RECEIVE + ROOM - 8)));
    unsigned char last[ROOM];
    fill(last, ROOM, 3);
    check_u64("bytes after the answer", (uint64_t)memcmp(&r.value, last + ROOM - 8, 8), 0);
}

static void refuse_second(void)
{
    check_refused("second answer", channel_respond(HANDLE_IPC, buffer, 1), STATUS_UNAVAILABLE);
    check_refused("second answer, with a wait", channel_respond_and_wait(HANDLE_IPC, buffer, 1, buffer, 8, TIME_MAX),
                  STATUS_UNAVAILABLE);
}

static void answer_plainly(size_t n)
{
    ask();
    check_refused("answer too long", channel_respond(HANDLE_IPC, buffer, ROOM + 1), STATUS_OUT_OF_RANGE);
    check_signals("request, still", object_wait(HANDLE_IPC, SIGNAL_READABLE, 0), SIGNAL_READABLE);
    check_ok("request, still", channel_read(HANDLE_IPC, 0, buffer + 32, 8), 8);
    check_ok("answer", channel_respond(HANDLE_IPC, buffer, n), 0);
    refuse_second();
    check_arrived(n);
}

static void answer_and_wait(size_t n)
{
    ask();
    check_refused("answer too long, with a wait",
                  channel_respond_and_wait(HANDLE_IPC, buffer, ROOM + 1, buffer + 32, 8, TIME_MAX),
                  STATUS_OUT_OF_RANGE);
    check_refused("answer with a poll", channel_respond_and_wait(HANDLE_IPC, buffer, n, buffer + 32, 8, 0),
                  STATUS_DEADLINE_EXCEEDED);
    refuse_second();
    check_arrived(n);
}

void story_respond(void)
{
    answer_plainly(ROOM);
    answer_plainly(7);
    answer_plainly(0);
    answer_and_wait(ROOM);
    answer_and_wait(1);
}
