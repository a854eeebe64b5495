/* SPDX-License-Identifier: MIT
 * A call on a channel or a oneshot in the middle of another: what an interrupt or NMI does to the code that it hits.
 * The outer call runs with the trap flag set, and before its n-th instruction, for every n, the inner one runs from
 * start to end. Neither may wait; and together they must have done what they do one after the other, in one order or
 * the other: same answers, same items left, same counts. Left out is what the contract forbids: a receive in the middle
 * of a receive. */
#define _GNU_SOURCE                           /* REG_EFL */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "ipc/channel.h"
#include "ipc/oneshot.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#define TRAP_FLAG 0x100

struct word {
    uint64_t value;
};
CHANNEL_DEFINE(items, struct word)
ONESHOT_DEFINE(reply, struct word)

static struct channel c;
static _Alignas(CACHE_LINE) unsigned char slots[2 * CACHE_LINE];
static struct reply o;

/* What one call said; 64-bit fields only, so that memcmp compares it. */
struct answer {
    uint64_t said, value;
};
struct call {
    const char *name;
    struct answer (*run)(uint64_t value);
    bool receives, drops_sender;
};

/* Everything that can be seen of a pair of calls and of what they leave. */
struct outcome {
    struct answer outer, inner, left[3];
    struct channel_stats stats;
    uint64_t flags;
};

static struct answer send_inline(uint64_t value)
{
    return (struct answer){items_send(&c, &(struct word){value}), 0};
}

static struct answer send_engine(uint64_t value)
{
    return (struct answer){channel_send(&c, &(struct word){value}), 0};
}

static struct answer recv_inline(uint64_t value)
{
    struct word w = {value};
    enum status status = items_try_recv(&c, &w);
    return (struct answer){status, w.value};
}

static struct answer recv_engine(uint64_t value)
{
    struct word w = {value};
    enum status status = channel_try_recv(&c, &w);
    return (struct answer){status, w.value};
}

static struct answer end(uint64_t value)
{
    channel_close(&c);
    return (struct answer){0, value};
}

static struct answer clone(uint64_t value)
{
    return (struct answer){channel_sender_clone(&c), value};
}

static struct answer drop(uint64_t value)
{
    channel_sender_drop(&c);
    return (struct answer){0, value};
}

static struct answer length(uint64_t value)
{
    (void)value;
    return (struct answer){0, channel_len(&c)};
}

static const struct call channel_calls[] = {
    {"inline send", send_inline, false, false},
    {"engine's send", send_engine, false, false},
    {"inline receive", recv_inline, true, false},
    {"engine's receive", recv_engine, true, false},
    {"close", end, false, false},
    {"clone", clone, false, false},
    {"drop", drop, false, true},
    {"length", length, false, false},
};

static const struct {
    size_t capacity, fill, senders;
} channel_starts[] = {{1, 0, 1}, {1, 1, 2}, {2, 1, 2}};

static void channel_start(size_t i)
{
    cr_assert(eq(int, channel_init(&c, slots, sizeof(slots), channel_starts[i].capacity, 8), STATUS_OK));
    for (size_t n = 1; n < channel_starts[i].senders; n++) {
        cr_assert(eq(int, channel_sender_clone(&c), STATUS_OK));
    }
    for (size_t n = 0; n < channel_starts[i].fill; n++) {
        cr_assert(eq(int, send_inline(100 + n).said, STATUS_OK));
    }
}

static void channel_finish(struct outcome *out)
{
    out->stats = channel_stats(&c);
    out->flags = channel_valid(&c) | (uint64_t)channel_is_closed(&c) << 1 | c.senders << 2;
    for (size_t n = 0; n < 3; n++) {
        out->left[n] = recv_engine(0);
    }
}

static struct answer oneshot_send(uint64_t value)
{
    return (struct answer){reply_send(&o, &(struct word){value}), 0};
}

static struct answer oneshot_recv(uint64_t value)
{
    struct word w = {value};
    enum status status = reply_try_recv(&o, &w);
    return (struct answer){status, w.value};
}

static struct answer sender_drop(uint64_t value)
{
    return (struct answer){oneshot_sender_drop(&o.oneshot), value};
}

static struct answer receiver_drop(uint64_t value)
{
    return (struct answer){oneshot_receiver_drop(&o.oneshot), value};
}

static struct answer is_ready(uint64_t value)
{
    return (struct answer){oneshot_is_ready(&o.oneshot), value};
}

/* A sender that is stopped in the middle, as one on another CPU may be; it goes on at the end. */
static bool begun;

static struct answer begin_send(uint64_t value)
{
    bool claimed = oneshot_claim(&o.oneshot);
    begun |= claimed;
    return (struct answer){claimed, value};
}

static const struct call oneshot_calls[] = {
    {"send", oneshot_send, false, false},         {"receive", oneshot_recv, true, false},
    {"sender's drop", sender_drop, false, false}, {"receiver's drop", receiver_drop, true, false},
    {"is_ready", is_ready, false, false},         {"half a send", begin_send, false, false},
};
static struct answer (*const oneshot_starts[])(uint64_t value) = {is_ready, oneshot_send, sender_drop, receiver_drop};

static void oneshot_start(size_t i)
{
    reply_init(&o);
    begun = false;
    (void)oneshot_starts[i](100);
}

static void oneshot_finish(struct outcome *out)
{
    out->flags = begun ? oneshot_publish(&o.oneshot) : STATUS_COUNT;
    out->flags |= (uint64_t)oneshot_valid(&o.oneshot) << 32;
    out->left[0] = is_ready(0);
    out->left[1] = oneshot_recv(0);
    out->left[2] = receiver_drop(0);
}

/* The pair that is under test. */
static const struct call *outer, *inner;
static void (*start)(size_t i), (*finish)(struct outcome *out);
static size_t start_index;

static volatile sig_atomic_t until_interrupt;
static struct answer interrupt_said;

static void trap(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    if (--until_interrupt == 0) {
        ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
        interrupt_said = inner->run(2);
    }
}

/* Interrupts the outer call before its n-th instruction, counted from the flag's setting. False if it has fewer. */
static bool run_nested(int n, struct outcome *out)
{
    *out = (struct outcome){0};
    start(start_index);
    until_interrupt = n;
    __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | TRAP_FLAG);
    out->outer = outer->run(1);
    __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() & ~(uint64_t)TRAP_FLAG);
    out->inner = interrupt_said;
    finish(out);
    return until_interrupt <= 0;
}

static void run_in_turn(bool outer_first, struct outcome *out)
{
    *out = (struct outcome){0};
    start(start_index);
    if (outer_first) {
        out->outer = outer->run(1);
    }
    out->inner = inner->run(2);
    if (!outer_first) {
        out->outer = outer->run(1);
    }
    finish(out);
}

/* Returns at how many places the outer call was hit. */
static int try_pair(void)
{
    struct outcome one, other, nested;
    run_in_turn(true, &one);
    run_in_turn(false, &other);
    int n = 1;
    for (; run_nested(n, &nested); n++) {
        bool in_order = !memcmp(&nested, &one, sizeof(one)) || !memcmp(&nested, &other, sizeof(other));
        cr_assert(in_order, "%s at instruction %d of %s, start %zu", inner->name, n, outer->name, start_index);
    }
    return n;
}

static int try_all(const struct call *calls, size_t count, bool two_may_drop)
{
    int places = 0;
    for (outer = calls; outer < calls + count; outer++) {
        for (inner = calls; inner < calls + count; inner++) {
            bool allowed = !(outer->receives && inner->receives) &&
                           (two_may_drop || !(outer->drops_sender && inner->drops_sender));
            places += allowed ? try_pair() : 0;
        }
    }
    return places;
}

static void catch_traps(void)
{
    struct sigaction action = {.sa_sigaction = trap, .sa_flags = SA_SIGINFO};
    cr_assert(eq(int, sigaction(SIGTRAP, &action, NULL), 0));
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Test(nested, channel, .timeout = 100)
{
    catch_traps();
    start = channel_start;
    finish = channel_finish;
    for (start_index = 0; start_index < COUNT(channel_starts); start_index++) {
        int places = try_all(channel_calls, COUNT(channel_calls), channel_starts[start_index].senders > 1);
        cr_log_info("start %zu: %d places", start_index, places);
        cr_assert(lt(int, 1000, places));
    }
}

Test(nested, oneshot, .timeout = 100)
{
    catch_traps();
    start = oneshot_start;
    finish = oneshot_finish;
    for (start_index = 0; start_index < COUNT(oneshot_starts); start_index++) {
        int places = try_all(oneshot_calls, COUNT(oneshot_calls), true);
        cr_log_info("start %zu: %d places", start_index, places);
        cr_assert(lt(int, 200, places));
    }
}
