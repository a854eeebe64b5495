/* SPDX-License-Identifier: MIT
 * The oneshot with real threads as CPUs, under ThreadSanitizer: many short lives of one storage, in each a plan of who
 * sends, drops, polls and gives up, and how late. A polling receiver never hears that nothing will come before the
 * value; what was said OK and what came are the same; of two senders one wins; and exactly one side has the storage in
 * the end, which makes it anew at once, while the other may still be on its way out. Exit status 0 if all held; the
 * first broken rule is printed and ends the program with 1. */
#include "ipc/oneshot.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIVES = 100000, LIVES_OF_TWO = 20000, SENDERS = 2, RECEIVER = 0, PATIENT = 1000 };

struct answer {
    uint64_t words[7];
};
ONESHOT_DEFINE(reply, struct answer)

enum plan { SEND, SEND_AND_DROP, DROP, PLANS };

static struct reply o;
static unsigned int senders; /* one, who may do anything, or two, who send only */

/* The plan of one life, written by the receiver's thread between two of them, and what the senders say of it. */
static struct life {
    struct {
        _Alignas(CACHE_LINE) enum plan plan;
        unsigned int delay;
        bool accepted, has_storage;
    } sender[SENDERS];
    unsigned int polls; /* PATIENT = until the end; otherwise the receiver gives up after so many */
    unsigned int delay;
    bool last;
} life;

static struct {
    _Alignas(CACHE_LINE) uint32_t times;
} met[1 + SENDERS]; /* the receiver, then the senders */

static void expect(bool holds, const char *rule)
{
    if (!holds) {
        fprintf(stderr, "oneshot_threads: broken: %s\n", rule);
        exit(1);
    }
}

/* All threads have come here as often as this one: what each did before, all know. */
static void meet(unsigned int self)
{
    uint32_t times = met[self].times + 1;
    store_release(&met[self].times, times);
    for (unsigned int i = 0; i <= senders; i++) {
        for (unsigned int turns = 1; load_acquire(&met[i].times) < times; turns++) {
            if (turns % 64 == 0) {
                sched_yield();
            }
        }
    }
}

static void dawdle(unsigned int delay)
{
    while (delay-- > 0) {
        compiler_barrier();
    }
}

static unsigned int random_below(unsigned int n)
{
    static uint64_t random = 88172645463325252u;
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    return (unsigned int)(random >> 8) % n;
}

static struct answer answer(uint64_t value)
{
    struct answer a;
    for (size_t i = 0; i < 7; i++) {
        a.words[i] = value;
    }
    return a;
}

/* One sender's part. Only a sender that is alone can be told that the storage is its own. */
static void send_or_drop(unsigned int self, uint64_t number)
{
    enum plan plan = life.sender[self].plan;
    dawdle(life.sender[self].delay);
    if (plan != DROP) {
        struct answer a = answer(number * SENDERS + self);
        enum status status = reply_send(&o, &a);
        expect(status == STATUS_OK || status == STATUS_CANCELLED, "a send says OK or that it is too late");
        life.sender[self].accepted = status == STATUS_OK;
    }
    if (senders == 2 || (plan == SEND && life.sender[self].accepted)) {
        return;
    }
    life.sender[self].has_storage = oneshot_sender_drop(&o.oneshot);
    if (life.sender[self].has_storage) {
        reply_init(&o);
    }
}

static void *sender(void *arg)
{
    unsigned int self = *(const unsigned int *)arg;
    for (uint64_t number = 0;; number++) {
        meet(1 + self);
        if (life.last) {
            return NULL;
        }
        send_or_drop(self, number);
        meet(1 + self);
    }
}

/* Polls as long as the plan says. OK or the last refusal; the value's word. */
static enum status poll(uint64_t *value)
{
    struct answer a = answer(UINT64_MAX);
    enum status status = STATUS_UNAVAILABLE;
    for (unsigned int i = 0; status == STATUS_UNAVAILABLE && (i < life.polls || life.polls == PATIENT); i++) {
        if (i % 64 == 63) {
            sched_yield();
        }
        bool ready = oneshot_is_ready(&o.oneshot);
        status = reply_try_recv(&o, &a);
        expect(!ready || status == STATUS_OK, "what is ready can be received");
    }
    for (size_t i = 1; i < 7; i++) {
        expect(a.words[i] == a.words[0], "a value arrives whole");
    }
    expect((status == STATUS_OK) == (a.words[0] != UINT64_MAX), "a value comes with OK only");
    *value = a.words[0];
    return status;
}

static void make_plan(void)
{
    life = (struct life){.polls = random_below(2) ? PATIENT : random_below(20), .delay = random_below(100)};
    for (unsigned int i = 0; i < senders; i++) {
        life.sender[i].plan = senders == 2 ? SEND : random_below(PLANS);
        life.sender[i].delay = random_below(100);
    }
}

static void check_value(enum status status, uint64_t value, uint64_t number)
{
    unsigned int accepted = life.sender[0].accepted + life.sender[1].accepted;
    expect(accepted <= 1, "one send is accepted at most");
    if (status == STATUS_OK) {
        expect(value / SENDERS == number && life.sender[value % SENDERS].accepted, "what came is what was accepted");
    } else if (life.polls == PATIENT) {
        expect(status == STATUS_CANCELLED && accepted == 0, "closed is not said before the value");
    }
}

/* One life from the receiver's side; true if the storage was the receiver's in the end. */
static bool receive(uint64_t number, uint64_t *received)
{
    uint64_t value;
    meet(RECEIVER);
    dawdle(life.delay);
    enum status status = poll(&value);
    bool mine = status == STATUS_OK || oneshot_receiver_drop(&o.oneshot);
    if (mine && senders == 1 && life.sender[0].plan != SEND_AND_DROP) {
        reply_init(&o);
    }
    meet(RECEIVER);
    check_value(status, value, number);
    *received += status == STATUS_OK;
    expect(senders == 2 || mine != life.sender[0].has_storage, "one side has the storage");
    reply_init(&o);
    return mine;
}

static void live(unsigned int with_senders, uint64_t lives)
{
    static const unsigned int id[SENDERS] = {0, 1};
    pthread_t threads[SENDERS];
    uint64_t received = 0, mine = 0;
    senders = with_senders;
    for (unsigned int i = 0; i <= SENDERS; i++) {
        met[i].times = 0;
    }
    for (unsigned int i = 0; i < senders; i++) {
        pthread_create(&threads[i], NULL, sender, (void *)(uintptr_t)&id[i]);
    }
    for (uint64_t number = 0; number < lives; number++) {
        make_plan();
        mine += receive(number, &received);
    }
    life.last = true;
    meet(RECEIVER);
    for (unsigned int i = 0; i < senders; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("oneshot_threads: %u senders, %lu lives, %lu values came, %lu times the storage was the receiver's\n",
           senders, lives, received, mine);
}

int main(void)
{
    live(1, LIVES);
    live(2, LIVES_OF_TWO);
    puts("oneshot_threads: ok");
    return 0;
}
