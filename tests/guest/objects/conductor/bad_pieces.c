/* SPDX-License-Identifier: MIT
 * The story: a vector is refused if it is too long, lies where the process may not read, or has a bad piece in any
 * place; the other end never hears of it. Pieces of no bytes may point anywhere. A vector is copied when the call
 * begins: what another thread makes of it afterwards, kernel addresses for one, changes nothing. */
#include "conductor.h"

#include "sys/abi/piece.h"

#define KERNEL 0xffffffff80200000
#define DIRECT_MAP 0xffff800000000000
#define UNMAPPED 0x10000

extern unsigned char tern_end[]; /* link.lds: the last byte of a region is just below a page boundary behind it */

static unsigned char out[64], in[64];
static struct user_piece vector[USER_PIECES_MAX + 1];

static const struct bad {
    const char *what;
    struct user_piece piece;
    enum status status;
} bads[] = {
    {"null", {0, 1}, STATUS_INVALID_ARGUMENT},
    {"kernel", {KERNEL, 1}, STATUS_PERMISSION_DENIED},
    {"direct map", {DIRECT_MAP, 8}, STATUS_PERMISSION_DENIED},
    {"unmapped", {UNMAPPED, 8}, STATUS_PERMISSION_DENIED},
    {"not canonical", {UINT64_C(1) << 63, 8}, STATUS_PERMISSION_DENIED},
    {"around the end", {UINT64_MAX - 3, 8}, STATUS_PERMISSION_DENIED},
    {"huge", {(uint64_t)out, UINT64_MAX}, STATUS_PERMISSION_DENIED},
    {"half of all", {(uint64_t)out, UINT64_C(1) << 63}, STATUS_PERMISSION_DENIED},
    {"larger than its region", {(uint64_t)out, UINT64_C(1) << 24}, STATUS_PERMISSION_DENIED},
};
#define BADS (sizeof bads / sizeof bads[0])

/* All of it fine. */
static void prepare(const unsigned char *bytes)
{
    for (size_t i = 0; i <= USER_PIECES_MAX; i++)
        vector[i] = (struct user_piece){(uint64_t)(bytes + 4 * i), 4};
}

static struct result send(size_t length)
{
    return channel_transact(HANDLE_CALL_1, vector, length, in, sizeof in, TIME_MAX);
}

static struct result receive(size_t length)
{
    return channel_transact(HANDLE_CALL_1, out, 4, vector, length, TIME_MAX);
}

static void refuse_each(size_t place, const struct bad *bad)
{
    prepare(in);
    vector[place] = bad->piece;
    check_refused(bad->what, send(PIECES(USER_PIECES_MAX)), bad->status);
    check_refused(bad->what, receive(PIECES(USER_PIECES_MAX)), bad->status);
    check_refused(bad->what, channel_async_transact(HANDLE_CALL_1, vector, PIECES(place + 1), in, 4), bad->status);
}

static void refuse_vectors(void)
{
    const void *end = (const void *)(((uint64_t)tern_end + 4095) / 4096 * 4096 - 24);
    prepare(in);
    check_refused("nine pieces", send(PIECES(USER_PIECES_MAX + 1)), STATUS_OUT_OF_RANGE);
    check_refused("nine pieces", receive(PIECES(USER_PIECES_MAX + 1)), STATUS_OUT_OF_RANGE);
    check_refused("most pieces", send(UINT64_C(1) << 63), STATUS_OUT_OF_RANGE);
    check_refused("no vector", channel_transact(HANDLE_CALL_1, NULL, PIECES(1), in, 4, TIME_MAX),
                  STATUS_INVALID_ARGUMENT);
    check_refused("vector in the kernel", channel_transact(HANDLE_CALL_1, (void *)KERNEL, PIECES(1), in, 4, TIME_MAX),
                  STATUS_PERMISSION_DENIED);
    check_refused("vector nowhere", channel_transact(HANDLE_CALL_1, out, 4, (void *)UNMAPPED, PIECES(1), TIME_MAX),
                  STATUS_PERMISSION_DENIED);
    check_refused("vector over the edge", channel_transact(HANDLE_CALL_1, end, PIECES(2), in, 4, TIME_MAX),
                  STATUS_PERMISSION_DENIED);
    vector[3].address = (uint64_t)&bads; /* read-only data may be sent, and not be written */
    check_refused("read-only piece", receive(PIECES(4)), STATUS_PERMISSION_DENIED);
}

/* Of a handler: the request stays, and then it is served. */
static void refuse_handler(void)
{
    uint64_t word = 0;
    puppet_begin(&caller, CALL(channel_transact, CALLER_IPC, MEMORY(0), 8, MEMORY(8), 8, TIME_MAX));
    check_signals("request", object_wait(HANDLE_IPC, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
    for (size_t i = 0; i < BADS; i++) {
        prepare(in);
        vector[1] = bads[i].piece;
        check_refused(bads[i].what, channel_read(HANDLE_IPC, 0, vector, PIECES(2)), bads[i].status);
        check_refused(bads[i].what, channel_respond(HANDLE_IPC, vector, PIECES(2)), bads[i].status);
    }
    check_refused("nine pieces", channel_read(HANDLE_IPC, 0, vector, PIECES(9)), STATUS_OUT_OF_RANGE);
    check_refused("nine pieces", channel_respond(HANDLE_IPC, vector, PIECES(9)), STATUS_OUT_OF_RANGE);
    check_ok("read", channel_read(HANDLE_IPC, 0, &word, 8), 8);
    prepare(out);
    check_refused("too long in pieces", channel_respond(HANDLE_IPC, vector, PIECES(3)), STATUS_OUT_OF_RANGE);
    check_ok("answer", channel_respond(HANDLE_IPC, vector, PIECES(2)), 0);
    check_ok("answer", puppet_end(&caller), 8);
}

static void check_unheard(void)
{
    check_refused("nothing heard", puppet_do(&server_1, CALL(object_wait, SERVER_IPC, SIGNAL_VALID, 0)),
                  STATUS_DEADLINE_EXCEEDED);
    check_signals("nothing begun", object_wait(HANDLE_CALL_1, SIGNAL_VALID, 0), SIGNAL_WRITEABLE);
}

static void allow_empty_pieces(void)
{
    vector[0] = (struct user_piece){KERNEL, 0};
    vector[1] = (struct user_piece){(uint64_t)out, 8};
    vector[2] = (struct user_piece){0, 0};
    puppet_begin(&server_1, DO(ECHO, 1, SERVER_IPC, 1));
    uint64_t answer = 0, request = 5;
    memcpy(out, &request, 8);
    check_ok("empty pieces", channel_transact(HANDLE_CALL_1, vector, PIECES(3), &answer, 8, TIME_MAX), 8);
    check_u64("answer", answer, 6);
    check_ok("server", puppet_end(&server_1), 0);
}

static void spoil(void)
{
    for (size_t i = 0; i < USER_PIECES_MAX; i++)
        vector[i] = (struct user_piece){KERNEL, UINT64_MAX};
}

/* Both vectors are in one array: two pieces to send, two to receive to. The helper is in its call meanwhile. */
static void follow_nothing(void)
{
    struct errand errand = {
        HANDLE_CALL_1, vector, PIECES(2), &vector[2], PIECES(2), TIME_MAX, {.status = STATUS_UNKNOWN}};
    fill(out, 8, 21);
    memset(in, 0xa5, sizeof in);
    prepare(out);
    vector[2] = (struct user_piece){(uint64_t)in, 3};
    vector[3] = (struct user_piece){(uint64_t)(in + 8), 5};
    errand_start(HANDLE_HELPER_1, &errand);
    check_signals("request", puppet_do(&server_1, CALL(object_wait, SERVER_IPC, SIGNAL_READABLE, TIME_MAX)),
                  SIGNAL_READABLE);
    spoil();
    check_ok("read", puppet_do(&server_1, CALL(channel_read, SERVER_IPC, 0, MEMORY(0), 64)), 8);
    check_ok("request", puppet_do(&server_1, DO(COMPARE, MEMORY(0), 8, 21)), 8);
    check_ok("answer", puppet_do(&server_1, CALL(channel_respond, SERVER_IPC, MEMORY(0), 8)), 0);
    check_ok("answer", errand_end(HANDLE_HELPER_1, &errand), 8);
    check_filled("first piece", in, 3, 21);
    check_u64("between them", in[3], 0xa5);
    check_u64("second piece", (uint64_t)memcmp(in + 8, out + 3, 5), 0);
}

void story_bad_pieces(void)
{
    for (size_t i = 0; i < BADS; i++)
        for (size_t place = 0; place < USER_PIECES_MAX; place += 7)
            refuse_each(place, &bads[i]);
    refuse_vectors();
    check_unheard();
    refuse_handler();
    allow_empty_pieces();
    follow_nothing();
    check_server_works(&server_1, HANDLE_CALL_1);
}
