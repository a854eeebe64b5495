/* SPDX-License-Identifier: MIT
 * The memory of a fuzzing process that calls read and write. Output lies in the arena, where each word that no call may
 * have written holds arena_word, which no other process knows; the arena is the last thing of the data region, so that
 * its end is the region's. Output of asynchronous transactions, which may come at any time, lies in `later`, of which
 * only the surroundings are watched. Where output must not go and input may come from is read-only. */
#include "tests/guest/fuzz/fuzzer/fuzzer.h"

#define ARENA_WORDS 1024
#define LATER_WORDS 256
#define GUARD_WORDS 8
#define READ_ONLY_WORDS 512
#define READ_ONLY_WORD 0x52454144204f4e4cul
#define TEXT_BYTES 2048
#define LONGEST 1500

static uint64_t arena_word;
__attribute__((common, aligned(USER_PAGE_SIZE))) uint64_t arena[ARENA_WORDS];
static struct {
    uint64_t before[GUARD_WORDS], words[LATER_WORDS], after[GUARD_WORDS];
} later;
static const uint64_t read_only[READ_ONLY_WORDS] = {[0 ... READ_ONLY_WORDS - 1] = READ_ONLY_WORD};
static char text[TEXT_BYTES]; /* what the log can take */
static uint64_t text_is;      /* its sum */
static struct user_piece vectors[2][USER_PIECES_MAX];

static uint64_t text_sum(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < TEXT_BYTES; i++)
        sum = sum * 31 + (unsigned char)text[i];
    return sum;
}

void buffers_begin(void)
{
    arena_word = fuzz_random();
    for (uint32_t i = 0; i < ARENA_WORDS; i++)
        arena[i] = arena_word;
    for (uint32_t i = 0; i < GUARD_WORDS; i++)
        later.before[i] = later.after[i] = arena_word;
    for (uint32_t i = 0; i < TEXT_BYTES; i++)
        text[i] = i % 64 == 63 ? '\n' : (char)('a' + fuzz_below(26));
    text_is = text_sum();
}

void buffers_check(void)
{
    check_u64("text", text_sum(), text_is);
    for (uint32_t i = 0; i < GUARD_WORDS; i++)
        check_u64("words beside later output", later.before[i] ^ later.after[i], 0);
    for (uint32_t i = 0; i < ARENA_WORDS; i++)
        check_u64("word of the arena", arena[i], arena_word);
    for (uint32_t i = 0; i < READ_ONLY_WORDS; i++)
        check_u64("word of read-only memory", read_only[i], READ_ONLY_WORD);
}

static uint64_t some_length(void)
{
    return one_in(8) ? fuzz_below(LONGEST) : fuzz_below(72);
}

/* Not empty: with a length of 0 any address will do. */
static uint64_t wild_length(void)
{
    uint64_t n = fuzz_wild();
    return n ? n : 1;
}

/* A length and an address that are not both legal, and what they give. */
static void refuse_buffer(struct random_call *c, uint64_t most, bool pieces, const uint64_t a[2])
{
    enum status status = a[0] ? STATUS_PERMISSION_DENIED : STATUS_INVALID_ARGUMENT;
    bool in_pieces = pieces && (int64_t)a[1] < 0;
    if (in_pieces ? -a[1] > USER_PIECES_MAX : most != UINT32_MAX && a[1] > most)
        status = STATUS_OUT_OF_RANGE;
    if (a[1])
        refuse(c, status);
}

/* It leaves what it begins in, by one byte or by far. */
static void leave(uint64_t a[2])
{
    uint64_t inside = 1 + fuzz_below(64);
    a[0] = (uint64_t)(arena + ARENA_WORDS) - inside;
    a[1] = inside + 1 + (one_in(2) ? fuzz_below(16) : wild_length() >> 1);
}

static void legal_output(struct random_call *c, uint64_t n, uint64_t a[2])
{
    a[1] = n;
    if (c->number == NUMBER_channel_async_transact) {
        a[0] = (uint64_t)later.words + fuzz_below(sizeof later.words - n + 1);
        return;
    }
    a[0] = (uint64_t)arena + fuzz_below(sizeof arena - n + 1);
    c->out[c->outs++] = (struct user_piece){a[0], n};
}

static void legal_input(uint64_t n, uint64_t a[2])
{
    a[0] = (uint64_t)text + fuzz_below(sizeof text - n + 1);
    a[1] = n;
}

/* Now and then one that is not legal, and sometimes too many. The first that is wrong decides. */
static void cut(struct random_call *c, bool output, uint64_t a[2])
{
    uint64_t count = one_in(16) ? USER_PIECES_MAX + 1 + fuzz_below(40) : 1 + fuzz_below(USER_PIECES_MAX);
    struct user_piece *vector = vectors[output];
    uint64_t part[2];
    for (uint64_t i = 0; i < count && count <= USER_PIECES_MAX; i++) {
        if (output)
            legal_output(c, fuzz_below(48), part);
        else
            legal_input(fuzz_below(48), part);
        if (one_in(32)) {
            leave(part);
            refuse(c, STATUS_PERMISSION_DENIED);
        }
        vector[i] = (struct user_piece){part[0], part[1]};
    }
    if (count > USER_PIECES_MAX)
        refuse(c, STATUS_OUT_OF_RANGE);
    a[0] = (uint64_t)vector;
    a[1] = -count;
}

static void wrong_output(uint64_t a[2])
{
    a[1] = some_length();
    switch (fuzz_below(4)) {
    case 0:
        a[0] = one_in(8) ? 0 : fuzz_wild();
        break;
    case 1:
        a[0] = fuzz_wild();
        a[1] = wild_length();
        break;
    case 2:
        leave(a);
        break;
    default:
        a[0] = one_in(2) ? (uint64_t)&read_only[fuzz_below(READ_ONLY_WORDS)] : (uint64_t)fuzz_enter;
    }
}

void draw_output(struct random_call *c, uint64_t most, bool pieces, uint64_t a[2])
{
    if (one_in(4)) {
        wrong_output(a);
        refuse_buffer(c, most, pieces, a);
    } else if (pieces && one_in(4)) {
        cut(c, true, a);
    } else {
        legal_output(c, some_length(), a);
    }
}

/* Texts that mean something to the call, and do no harm to other processes. NAME_BYTES: calls about calls take no
 * longer ones. */
#define NAME_BYTES 32
static bool takes_name(const struct random_call *c, uint64_t most)
{
    return most == NAME_BYTES || c->number == NUMBER_router_request;
}

static void a_name(const struct random_call *c, uint64_t a[2])
{
    static const char *const names[] = {"add", "add", "sum", "audit", "latency", "lockdown", "debug_nop", "ad", ""};
    static const char *const measures[] = {"empty",         "empty", "kchannel.send_recv",   "oneshot.round_trip",
                                           "bus.publish.8", "empt",  "router.send.same_cpu", "bus.publish.0"};
    static const char *const requests[] = {"clock get_stats",      "memory get_stats", "bus get_stats", "bus cpu 0",
                                           "bus publish my.event", "scheduler help",   "nobody x",      " clock  x  "};
    const char *name = names[fuzz_below(sizeof names / sizeof names[0])];
    if (c->number == NUMBER_debug_measure)
        name = measures[fuzz_below(sizeof measures / sizeof measures[0])];
    if (c->number == NUMBER_router_request)
        name = requests[fuzz_below(sizeof requests / sizeof requests[0])];
    a[0] = (uint64_t)name;
    a[1] = strlen(name);
}

static void wrong_input(uint64_t a[2])
{
    a[0] = one_in(4) ? 0 : fuzz_wild();
    a[1] = one_in(2) ? wild_length() : some_length();
    if (one_in(4))
        leave(a);
}

void draw_input(struct random_call *c, uint64_t most, bool pieces, bool null_is_legal, uint64_t a[2])
{
    bool wrong = one_in(5);
    if (wrong)
        wrong_input(a);
    else if (pieces && one_in(4))
        cut(c, false, a);
    else if (takes_name(c, most) && !one_in(4))
        a_name(c, a);
    else
        legal_input(some_length(), a);
    if (!wrong && c->number != NUMBER_debug_log && (int64_t)a[1] >= 0 && one_in(8))
        a[0] = one_in(2) ? (uint64_t)read_only : (uint64_t)arena;
    if ((wrong || (a[1] > most && most != UINT32_MAX)) && !(null_is_legal && !a[0]))
        refuse_buffer(c, most, pieces, a);
}

/* Those bytes of the pieces are as no call wrote them. */
static void wipe(const struct random_call *c, uint64_t written)
{
    for (uint32_t i = 0; i < c->outs; i++) {
        char *p = (char *)c->out[i].address;
        uint64_t n = written < c->out[i].bytes ? written : c->out[i].bytes;
        written -= n;
        for (; n > 0; n--, p++)
            *p = (char)(arena_word >> ((uint64_t)p & 7) * 8);
    }
}

static bool words_are(const uint64_t *word, const uint64_t *end, uint64_t expected, uint64_t *got)
{
    while (word < end && *word == expected)
        word++;
    *got = word < end ? *word : expected;
    return word == end;
}

/* Each buffer and its neighbours hold what they held. */
bool outputs_are_sound(const struct random_call *c, uint64_t written, uint64_t *expected, uint64_t *got)
{
    wipe(c, written);
    *expected = arena_word;
    for (uint32_t i = 0; i < c->outs; i++) {
        uint64_t start = (c->out[i].address - (uint64_t)arena) / 8;
        uint64_t end = (c->out[i].address - (uint64_t)arena + c->out[i].bytes + 7) / 8 + GUARD_WORDS;
        start = start > GUARD_WORDS ? start - GUARD_WORDS : 0;
        if (!words_are(&arena[start], &arena[end < ARENA_WORDS ? end : ARENA_WORDS], arena_word, got))
            return false;
    }
    uint64_t at = fuzz_before[REGISTER_RAX] % (READ_ONLY_WORDS - GUARD_WORDS);
    *expected = READ_ONLY_WORD;
    return words_are(&read_only[at], &read_only[at + GUARD_WORDS], READ_ONLY_WORD, got);
}
