/* SPDX-License-Identifier: MIT
 * How CPUs ask each other for things: each has one inbox, a kernel channel (ipc/channel.h), and runs what arrives. A
 * message is a function and six words, one cache line. The image bounds how many can be under way at once
 * (inbox_create), so a send cannot fail: a full inbox is a broken invariant.
 *
 * Waking is suppressed whenever the owner will look by itself. Its `level` says what it is doing:
 *   INBOX_POLLING        looks before it halts or runs anything: never interrupted
 *   0 .. 31              runs a thread of that priority: interrupted for messages at least as urgent; for less urgent
 * ones it looks when it goes down to them (at equal priority it must hear, or round robin would starve) INBOX_HALTED
 * interrupted
 *
 *   sender                              owner
 *   (1) publish message (release)       (3) level = HALTED or lower priority
 *   (2) full fence                      (4) full fence
 *       load level                          look at the inbox
 * One of the two sees the other's store, so no message sleeps. pairs: inbox-wake
 * A message that is still being written hides those behind it at (4): an urgent one, whose sender saw POLLING, could
 * sleep below a level that the hiding one does not reach. So whoever finds himself below the level interrupts
 * nevertheless, unless his message is alone in the inbox. tests/model/inbox.pml tries it, with store buffers. */
#pragma once
#include <arch/percpu.h>
#include <stdbool.h>
#include <stdint.h>
#include "ipc/channel.h"

struct inbox_message {
    void (*run)(const struct inbox_message *m); /* on the receiving CPU, interrupts off, must not block */
    uint64_t word[6];
};

/* The level word has a line of its own: its CPU writes it, senders read it. */
struct inbox {
    struct channel channel;
    _Alignas(CACHE_LINE) int level; /* [w] INBOX_* or a priority; written by the owner, read by all */
};

extern struct inbox inbox; /* PERCPU */

#define INBOX_HALTED (-1)
#define INBOX_POLLING 127

/* Gives `cpu` its inbox; `capacity` bounds the messages that can be under way to it. Boot CPU, before threads run. */
void inbox_create(uint32_t cpu, size_t capacity);

/* Any CPU, interrupts off. `priority`: of the thread that the message concerns. */
void inbox_send(uint32_t cpu, const struct inbox_message *m, uint8_t priority);

/* A message of this priority was sent: interrupts `cpu` if it would not look by itself soon enough. */
void inbox_kick(uint32_t cpu, uint8_t priority);

/* Runs everything that is there at entry. This CPU. */
void inbox_run(void);

static inline bool inbox_is_empty(void)
{
    return channel_is_empty(&this_cpu_ptr(inbox)->channel);
}

/* Publishes what this CPU does next. Going down, messages withheld meanwhile are not lost: the CPU interrupts itself.
 */
void inbox_set_level(int level);
static inline int inbox_level(void)
{
    return this_cpu(inbox).level;
}
