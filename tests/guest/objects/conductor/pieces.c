/* SPDX-License-Identifier: MIT
 * The story: a message in pieces on either side is the same message as in one piece. Every combination of pieces for
 * request, its reading, the answer and where that arrives, some of them empty, over lengths and cuts by chance; then
 * "THIS", "IS", "A", "TEST" into six and five bytes; reading from offsets; and both buffers of a call in the same
 * place. */
#include "conductor.h"

#include "sys/abi/piece.h"

#define LONGEST 300
#define ROUNDS 150
#define VECTOR 8192 /* in the server's memory, behind what it reads to and answers from */
#define ANSWER 4096

static unsigned char out[LONGEST + 16], in[LONGEST + 16];
static uint64_t state;

static uint64_t random_below(uint64_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % bound;
}

/* Cuts n bytes at `address` into 1 to 8 pieces in a row; how many. */
static uint64_t cut(struct user_piece *vector, uint64_t address, uint64_t n)
{
    uint64_t count = 1 + random_below(USER_PIECES_MAX);
    for (uint64_t i = 0; i + 1 < count; i++) {
        uint64_t bytes = random_below(3) ? random_below(n + 1) : 0;
        vector[i] = (struct user_piece){address, bytes};
        address += bytes;
        n -= bytes;
    }
    vector[count - 1] = (struct user_piece){address, n};
    return count;
}

/* The same in the server; the length argument for its call. */
static uint64_t cut_remote(uint64_t offset, uint64_t n)
{
    struct user_piece vector[USER_PIECES_MAX];
    uint64_t count = cut(vector, MEMORY(offset), n);
    if (count == 1)
        return n;
    for (uint64_t i = 0; i < count; i++) {
        (void)puppet_do(&server_1, DO(POKE, MEMORY(VECTOR + 16 * i), vector[i].address));
        (void)puppet_do(&server_1, DO(POKE, MEMORY(VECTOR + 16 * i + 8), vector[i].bytes));
    }
    return PIECES(count);
}

static uint64_t place_of(uint64_t length, uint64_t offset)
{
    return (int64_t)length < 0 ? MEMORY(VECTOR) : MEMORY(offset);
}

static void serve(uint64_t n, uint64_t m, uint64_t seed)
{
    uint64_t to = cut_remote(0, n + random_below(2) * 8), from;
    check_signals("request", puppet_do(&server_1, CALL(object_wait, SERVER_IPC, SIGNAL_READABLE, TIME_MAX)),
                  SIGNAL_READABLE);
    check_ok("read", puppet_do(&server_1, CALL(channel_read, SERVER_IPC, 0, place_of(to, 0), to)), n);
    check_ok("request", puppet_do(&server_1, DO(COMPARE, MEMORY(0), n, seed)), n);
    (void)puppet_do(&server_1, DO(FILL, MEMORY(ANSWER), m, seed + 1));
    from = cut_remote(ANSWER, m);
    check_ok("answer", puppet_do(&server_1, CALL(channel_respond, SERVER_IPC, place_of(from, ANSWER), from)), 0);
}

static void round_trip(uint64_t seed)
{
    struct user_piece send[USER_PIECES_MAX], receive[USER_PIECES_MAX];
    uint64_t n = random_below(LONGEST + 1), m = random_below(LONGEST + 1), room = m + random_below(2) * 8;
    fill(out, n, seed);
    memset(in, 0xa5, sizeof in);
    struct errand errand = {HANDLE_CALL_1,
                            send,
                            PIECES(cut(send, (uint64_t)out, n)),
                            receive,
                            PIECES(cut(receive, (uint64_t)in, room)),
                            TIME_MAX,
                            {.status = STATUS_UNKNOWN}};
    if (random_below(4) == 0) {
        errand.send = out;
        errand.n = n;
    }
    if (random_below(4) == 0) {
        errand.receive = in;
        errand.m = room;
    }
    errand_start(HANDLE_HELPER_1, &errand);
    serve(n, m, seed);
    check_ok("answer", errand_end(HANDLE_HELPER_1, &errand), m);
    check_filled("answer", in, m, seed + 1);
    check_u64("byte after the answer", in[m], 0xa5);
}

static void this_is_a_test(void)
{
    static char first[6], second[5];
    const struct user_piece send[] = {
        {(uint64_t) "THIS", 4}, {(uint64_t) "IS", 2}, {(uint64_t) "A", 1}, {(uint64_t) "TEST", 4}};
    struct user_piece receive[] = {{(uint64_t)first, 6}, {(uint64_t)second, 5}};
    check_ok("start", channel_async_transact(HANDLE_CALL_1, send, PIECES(4), receive, PIECES(2)), 0);
    check_ok("read", puppet_do(&server_1, CALL(channel_respond_and_wait, SERVER_IPC, 0, 0, MEMORY(0), 64, TIME_MAX)),
             11);
    check_refused("answer too long", puppet_do(&server_1, CALL(channel_respond, SERVER_IPC, MEMORY(0), 12)),
                  STATUS_OUT_OF_RANGE);
    check_ok("answer", puppet_do(&server_1, CALL(channel_respond, SERVER_IPC, MEMORY(0), 11)), 0);
    check_status("over", object_wait(HANDLE_CALL_1, SIGNAL_READABLE, TIME_MAX).status, STATUS_OK);
    check_ok("complete", channel_async_complete(HANDLE_CALL_1), 11);
    check_u64("first piece", (uint64_t)memcmp(first, "THISIS", 6), 0);
    check_u64("second piece", (uint64_t)memcmp(second, "ATEST", 5), 0);
}

static void read_at_offsets(void)
{
    const struct user_piece send[] = {{(uint64_t)out, 5}, {0, 0}, {(uint64_t)(out + 5), 7}, {(uint64_t)(out + 12), 8}};
    fill(out, 20, 9);
    check_ok("start", channel_async_transact(HANDLE_CALL_1, send, PIECES(4), NULL, 0), 0);
    (void)puppet_do(&server_1, DO(FILL, MEMORY(512), 20, 9));
    for (uint64_t offset = 0; offset <= 20; offset++) {
        check_ok("read", puppet_do(&server_1, CALL(channel_read, SERVER_IPC, offset, MEMORY(offset), 64)), 20 - offset);
        check_ok("bytes", puppet_do(&server_1, DO(COMPARE, MEMORY(0), 20, 9)), 20);
    }
    check_refused("past the end", puppet_do(&server_1, CALL(channel_read, SERVER_IPC, 21, MEMORY(0), 64)),
                  STATUS_OUT_OF_RANGE);
    check_ok("answer", puppet_do(&server_1, CALL(channel_respond, SERVER_IPC, 0, 0)), 0);
    check_status("over", object_wait(HANDLE_CALL_1, SIGNAL_READABLE, TIME_MAX).status, STATUS_OK);
    check_ok("complete", channel_async_complete(HANDLE_CALL_1), 0);
}

/* The same memory is sent and received to, in other pieces. */
static void overlap(void)
{
    const struct user_piece send[] = {{(uint64_t)out, 100}, {(uint64_t)out, 50}};
    struct user_piece receive[] = {{(uint64_t)(out + 20), 100}, {(uint64_t)(out + 10), 10}};
    fill(out, 100, 13);
    (void)puppet_do(&server_1, DO(FILL, MEMORY(ANSWER), 110, 14));
    check_ok("start", channel_async_transact(HANDLE_CALL_1, send, PIECES(2), receive, PIECES(2)), 0);
    check_ok("read", puppet_do(&server_1, CALL(channel_respond_and_wait, SERVER_IPC, 0, 0, MEMORY(0), 200, TIME_MAX)),
             150);
    check_ok("request", puppet_do(&server_1, DO(COMPARE, MEMORY(0), 100, 13)), 100);
    check_ok("request", puppet_do(&server_1, DO(COMPARE, MEMORY(100), 50, 13)), 50);
    check_ok("answer", puppet_do(&server_1, CALL(channel_respond, SERVER_IPC, MEMORY(ANSWER), 110)), 0);
    check_status("over", object_wait(HANDLE_CALL_1, SIGNAL_READABLE, TIME_MAX).status, STATUS_OK);
    check_ok("complete", channel_async_complete(HANDLE_CALL_1), 110);
    check_filled("answer", out + 20, 100, 14);
    for (size_t i = 0; i < 10; i++) {
        check_u64("rest of the answer", out[10 + i], fill_byte(100 + i, 14));
        check_u64("what is in no piece", out[i], fill_byte(i, 13));
    }
}

void story_pieces(void)
{
    state = seeded(88172645463325252);
    this_is_a_test();
    read_at_offsets();
    overlap();
    for (uint64_t seed = 1; seed <= ROUNDS; seed++)
        round_trip(seed);
}
