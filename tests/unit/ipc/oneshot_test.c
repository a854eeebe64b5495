/* SPDX-License-Identifier: MIT
 * The oneshot on one thread: what each call says in each state, a value that arrives whole, a sender stopped in the
 * middle of a send, storage used again, and every sequence of seven calls against plain facts. Two CPUs are the matter
 * of oneshot_threads.c. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "ipc/oneshot.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

struct answer {
    uint64_t number;
    uint64_t again[6];
};
struct large {
    uint64_t words[25];
};
ONESHOT_DEFINE(reply, struct answer)
ONESHOT_DEFINE(bulk, struct large)
ONESHOT_DEFINE(flag, bool)

static struct reply o;

static struct answer answer(uint64_t number)
{
    struct answer a = {.number = number};
    for (size_t i = 0; i < 6; i++) {
        a.again[i] = ~number;
    }
    return a;
}

static enum status send(uint64_t number)
{
    struct answer a = answer(number), before = a;
    enum status status = reply_send(&o, &a);
    cr_assert(memcmp(&a, &before, sizeof(a)) == 0, "the caller's value was touched");
    return status;
}

/* The number, or 0 with *why. */
static uint64_t recv(enum status *why)
{
    struct answer a = answer(77), untouched = a, expected;
    *why = reply_try_recv(&o, &a);
    expected = *why == STATUS_OK ? answer(a.number) : untouched;
    cr_assert(memcmp(&a, &expected, sizeof(a)) == 0,
              "what arrived is not whole, or nothing arrived and it was touched");
    return *why == STATUS_OK ? a.number : 0;
}

static void expect_nothing(enum status expected)
{
    enum status why;
    cr_assert(eq(u64, recv(&why), 0));
    cr_assert(eq(int, why, expected));
    cr_assert(not(oneshot_is_ready(&o.oneshot)));
}

static void expect_received(uint64_t number)
{
    enum status why;
    cr_assert(oneshot_is_ready(&o.oneshot));
    cr_assert(eq(u64, recv(&why), number));
}

Test(oneshot, a_value_comes_once)
{
    reply_init(&o);
    expect_nothing(STATUS_UNAVAILABLE);
    cr_assert(eq(int, send(5), STATUS_OK));
    cr_assert(oneshot_valid(&o.oneshot));
    expect_received(5);
    expect_nothing(STATUS_CANCELLED);
    cr_assert(oneshot_valid(&o.oneshot));
}

Test(oneshot, the_first_send_wins)
{
    reply_init(&o);
    cr_assert(eq(int, send(5), STATUS_OK));
    cr_assert(eq(int, send(6), STATUS_CANCELLED));
    expect_received(5);
    cr_assert(eq(int, send(7), STATUS_CANCELLED));
    expect_nothing(STATUS_CANCELLED);
}

Test(oneshot, a_sender_gone_unsent_is_said)
{
    reply_init(&o);
    cr_assert(not(oneshot_sender_drop(&o.oneshot)));
    expect_nothing(STATUS_CANCELLED);
    cr_assert(not(oneshot_sender_drop(&o.oneshot)));
    cr_assert(eq(int, send(5), STATUS_CANCELLED));
    expect_nothing(STATUS_CANCELLED);
    cr_assert(oneshot_receiver_drop(&o.oneshot));
    cr_assert(oneshot_receiver_drop(&o.oneshot));
}

Test(oneshot, a_sender_gone_after_its_send_changes_nothing)
{
    reply_init(&o);
    cr_assert(eq(int, send(5), STATUS_OK));
    cr_assert(not(oneshot_sender_drop(&o.oneshot)));
    expect_received(5);
    cr_assert(not(oneshot_sender_drop(&o.oneshot)));
    expect_nothing(STATUS_CANCELLED);
}

Test(oneshot, a_receiver_gone_leaves_the_value_with_the_caller)
{
    reply_init(&o);
    cr_assert(not(oneshot_receiver_drop(&o.oneshot)));
    cr_assert(not(oneshot_receiver_drop(&o.oneshot)));
    cr_assert(eq(int, send(5), STATUS_CANCELLED));
    cr_assert(oneshot_sender_drop(&o.oneshot));
    cr_assert(oneshot_sender_drop(&o.oneshot));
    expect_nothing(STATUS_CANCELLED);
}

Test(oneshot, a_receiver_gone_gives_up_what_is_there)
{
    reply_init(&o);
    cr_assert(eq(int, send(5), STATUS_OK));
    cr_assert(oneshot_receiver_drop(&o.oneshot));
    expect_nothing(STATUS_CANCELLED);
    cr_assert(not(oneshot_sender_drop(&o.oneshot)));
}

/* What a sender does that was stopped between its claim and its publication. */
Test(oneshot, a_stalled_send_is_not_yet_there_and_is_not_overtaken)
{
    reply_init(&o);
    cr_assert(oneshot_claim(&o.oneshot));
    o.value = answer(5);
    expect_nothing(STATUS_UNAVAILABLE);
    cr_assert(eq(int, send(6), STATUS_CANCELLED));
    cr_assert(eq(u64, o.value.number, 5));
    cr_assert(not(oneshot_sender_drop(&o.oneshot)));
    expect_nothing(STATUS_UNAVAILABLE);
    cr_assert(not(oneshot_valid(&o.oneshot)));
    cr_assert(eq(int, oneshot_publish(&o.oneshot), STATUS_OK));
    expect_received(5);
}

Test(oneshot, storage_is_used_again)
{
    for (uint64_t life = 1; life < 1000; life++) {
        reply_init(&o);
        expect_nothing(STATUS_UNAVAILABLE);
        cr_assert(eq(int, send(life), STATUS_OK));
        expect_received(life);
        oneshot_reset(&o.oneshot);
        cr_assert(not(oneshot_sender_drop(&o.oneshot)));
        expect_nothing(STATUS_CANCELLED);
    }
}

Test(oneshot, zeroed_storage_is_new)
{
    static struct reply zeroed;
    reply_init(&o);
    cr_assert(eq(u32, zeroed.oneshot.state, o.oneshot.state));
}

Test(oneshot, any_size_of_value)
{
    cr_assert(eq(sz, sizeof(struct reply), CACHE_LINE));
    cr_assert(eq(sz, (uintptr_t)&o % CACHE_LINE, 0));
    static struct bulk large;
    struct large in, out;
    memset(&in, 0x5a, sizeof(in));
    bulk_init(&large);
    cr_assert(eq(int, bulk_send(&large, &in), STATUS_OK));
    cr_assert(eq(int, bulk_try_recv(&large, &out), STATUS_OK));
    cr_assert(memcmp(&in, &out, sizeof(in)) == 0);
    static struct flag small;
    bool seen = false;
    flag_init(&small);
    cr_assert(eq(int, flag_send(&small, &(bool){true}), STATUS_OK));
    cr_assert(eq(int, flag_try_recv(&small, &seen), STATUS_OK));
    cr_assert(seen);
}

/* What happened so far, in plain words, and what each call has to say because of it. BEGIN and END are the two halves
 * of a send that is stopped in the middle; a whole one may come between them. */
static struct facts {
    bool stalled, sent, received, sender_gone, receiver_gone, storage_is_receivers;
} f;
enum call { SEND, BEGIN, END, RECV, SENDER_DROP, RECEIVER_DROP, CALLS };

static bool send_may_begin(void)
{
    return !f.stalled && !f.sent && !f.sender_gone && !f.receiver_gone;
}

static void check_begin(void)
{
    bool may = send_may_begin();
    cr_assert(eq(int, oneshot_claim(&o.oneshot), may));
    f.stalled |= may;
}

static void check_end(uint64_t number)
{
    if (!f.stalled) {
        return;
    }
    o.value = answer(number);
    cr_assert(eq(int, oneshot_publish(&o.oneshot), f.receiver_gone ? STATUS_CANCELLED : STATUS_OK));
    f.stalled = false;
    f.sent = !f.receiver_gone;
}

static void check_send(uint64_t number)
{
    bool may = send_may_begin();
    cr_assert(eq(int, send(number), may ? STATUS_OK : STATUS_CANCELLED));
    f.sent |= may;
}

static void check_recv(uint64_t number)
{
    enum status why, expected = STATUS_UNAVAILABLE;
    bool there = f.sent && !f.received && !f.receiver_gone;
    cr_assert(eq(int, oneshot_is_ready(&o.oneshot), there));
    uint64_t got = recv(&why);
    if (there) {
        expected = STATUS_OK;
    } else if (f.received || f.sender_gone || f.receiver_gone) {
        expected = STATUS_CANCELLED;
    }
    cr_assert(eq(int, why, expected));
    cr_assert(eq(u64, got, there ? number : 0));
    f.received |= there;
}

static void check_sender_drop(void)
{
    bool last = f.receiver_gone && !f.storage_is_receivers;
    f.sender_gone |= send_may_begin();
    cr_assert(eq(int, oneshot_sender_drop(&o.oneshot), last));
}

static void check_receiver_drop(void)
{
    f.storage_is_receivers |= !f.receiver_gone && (f.sent || f.sender_gone);
    f.receiver_gone = true;
    cr_assert(eq(int, oneshot_receiver_drop(&o.oneshot), f.storage_is_receivers));
}

/* The calls are the digits of `sequence`; `number` is that of the only send that can have been accepted. */
static void walk(unsigned int sequence, int calls)
{
    uint64_t number = sequence + 1;
    f = (struct facts){0};
    reply_init(&o);
    for (int i = 0; i < calls; i++, sequence /= CALLS) {
        switch ((enum call)(sequence % CALLS)) {
        case SEND:
            check_send(number);
            break;
        case BEGIN:
            check_begin();
            break;
        case END:
            check_end(number);
            break;
        case RECV:
            check_recv(number);
            break;
        case SENDER_DROP:
            check_sender_drop();
            break;
        default:
            check_receiver_drop();
        }
        cr_assert(eq(int, oneshot_valid(&o.oneshot), !f.stalled || f.receiver_gone));
    }
}

Test(oneshot, every_sequence_of_seven_calls)
{
    enum { ALL = 6 * 6 * 6 * 6 * 6 * 6 * 6 };
    _Static_assert(CALLS == 6, "as many digits");
    for (unsigned int sequence = 0; sequence < ALL; sequence++) {
        walk(sequence, 7);
    }
}
