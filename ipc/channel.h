/* SPDX-License-Identifier: MIT
 * The kernel's bounded channel: many producers on any CPU and in any context, interrupts included, and one
 * consumer. CHANNEL_DEFINE gives type-checked wrappers over the one engine here and in channel.c. The storage is
 * the caller's, given once; nothing is allocated later. The consumer is one CPU, or whoever it hands the duty to,
 * never two at a time. Order: items come out in the order in which their sends claimed a place, so each producer's
 * own order is kept. A send that said OK is received; one that said anything else is not, and the caller still has
 * the item. Deliberately absent: blocking, and waking the consumer's CPU. A successful send orders the item before
 * its publication (a release store), and nothing more: who wants to know whether the consumer sleeps needs
 * fence_full() between the send and that load, and the consumer between the store that says it sleeps and its last
 * channel_is_empty(). Field letters: [I] fixed after init, [a] atomic, any CPU, [w] written by the consumer only,
 * [1] written once. */
#pragma once
#include <arch/atomic.h>
#include <arch/cpu.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/abi/status.h"
#include "sys/lib/panic.h"

#define CHANNEL_CAPACITY_DEFAULT 32
#define CHANNEL_CAPACITY_MAX ((size_t)1 << 20)
#define CHANNEL_ITEM_BYTES_MAX ((size_t)1 << 16)

/* A position counts sends in steps of 64, so that masked it is the offset of a one-line slot. That leaves the low bits
 * free, and bit 0 makes one word say two things:
 *   tail           position of the next claim, CHANNEL_MARK = closed: a claim and a close compete for one word
 *   head           position of the next receive, always with CHANNEL_MARK
 *   slot.sequence  p = granted to the send that claims position p; p + CHANNEL_MARK = holds the item of position p
 * Hence: may be claimed and is open <=> sequence == tail; is there to receive <=> sequence == head;
 * closed and drained <=> tail == head. Capacity 1 needs no special case, and wrap-around does no harm. */
#define CHANNEL_STEP ((uint64_t)CACHE_LINE)
#define CHANNEL_MARK ((uint64_t)1)

struct channel_slot {
    uint64_t sequence;    /* [a] */
    unsigned char item[]; /* the claimer's until published, then the consumer's until granted again */
};

/* The slots are a power of two in number, so that a mask finds one; the capacity is what the caller asked for.
 * Receiving position p grants position p + capacity, wherever that lies: more is never granted than the capacity,
 * and a producer learns it from the line it is about to write, without a look at the consumer's. */
struct channel {
    _Alignas(CACHE_LINE) uint64_t tail;        /* [a] the producers' word */
    _Alignas(CACHE_LINE) uint64_t head;        /* [w] */
    _Alignas(CACHE_LINE) unsigned char *slots; /* [I] */
    uint64_t mask;                             /* [I] (number of slots - 1) * CHANNEL_STEP */
    uint64_t grant;                            /* [I] from a marked position to the one that receiving it grants */
    size_t slot_lines;                         /* [I] */
    size_t item_bytes;                         /* [I] */
    size_t capacity;                           /* [I] */
    bool closing;                              /* [1] set before tail is marked; while clear none need look there */
    _Alignas(CACHE_LINE) uint64_t rejected;    /* [a] sends that found the channel full */
    uint64_t senders;                          /* [a] */
};

_Static_assert(sizeof(struct channel) == 4 * CACHE_LINE, "one line each: producers, consumer, fixed, rare");
_Static_assert(offsetof(struct channel, head) == 1 * CACHE_LINE, "the consumer's word has a line of its own");
_Static_assert(offsetof(struct channel, slots) == 2 * CACHE_LINE, "what is fixed has a line of its own");
_Static_assert(offsetof(struct channel, rejected) == 3 * CACHE_LINE, "what is rare has a line of its own");
_Static_assert(sizeof(struct channel_slot) == 8, "56 bytes of item share the line of their sequence");

struct channel_stats {
    uint64_t sent;     /* accepted since init, also those whose item is still being written */
    uint64_t received; /* never more than sent */
    uint64_t rejected; /* refused because full; a send refused because closed is not counted */
    size_t len;
    size_t capacity;
};

#define CHANNEL_LINES(item_bytes) ((sizeof(struct channel_slot) + (item_bytes) + CACHE_LINE - 1) / CACHE_LINE)

/* The storage that a channel of `capacity` items of `item_bytes` needs; 0 if either is out of range (capacity 1 to
 * CHANNEL_CAPACITY_MAX, item_bytes a multiple of 8 from 8 to CHANNEL_ITEM_BYTES_MAX). Slots are rounded up to a
 * power of two in number and to whole cache lines in size. Any context. */
size_t channel_bytes(size_t capacity, size_t item_bytes);

/* Makes *c an open, empty channel with one sender. `storage`, aligned to CACHE_LINE, at least channel_bytes()
 * long, is lent to the channel for its life. INVALID_ARGUMENT, with *c untouched, if that does not hold or
 * channel_bytes() is 0. Nobody else may know *c yet. */
enum status channel_init(struct channel *c, void *storage, size_t storage_bytes, size_t capacity, size_t item_bytes);

/* Copies the item in. OK, RESOURCE_EXHAUSTED (full, counted), CANCELLED (closed, now and for ever). Never waits;
 * lock-free. Any CPU and context, also an interrupt in the middle of a send or receive of the same channel. */
enum status channel_send(struct channel *c, const void *item);

/* Copies the oldest item out. OK, UNAVAILABLE (nothing now: empty, or the oldest send is still writing its item),
 * CANCELLED (closed, and every accepted item has been received). *item is written only with OK. Consumer only. */
enum status channel_try_recv(struct channel *c, void *item);

/* Receives up to `max` items into the array `items`, stopping at the first that is not there yet. As
 * channel_try_recv when the first is not there; otherwise OK. *received is always set. Consumer only. */
enum status channel_recv_batch(struct channel *c, void *items, size_t max, size_t *received);

/* From here on no send is accepted; items accepted before are still received. May be repeated. Any CPU and context. */
void channel_close(struct channel *c);

/* One more sender, to be dropped in its turn. CANCELLED if there is none left to clone. Any CPU and context. */
enum status channel_sender_clone(struct channel *c);

/* One sender less; without any the channel closes. The caller's sends are over. Any CPU and context. */
void channel_sender_drop(struct channel *c);

/* Items accepted and not received, at some moment during the call; never more than the capacity. Any CPU and
 * context. */
size_t channel_len(const struct channel *c);

/* Counts at some moment during the call; sent - received may exceed len if the consumer was at work. Any CPU and
 * context. */
struct channel_stats channel_stats(const struct channel *c);

/* The invariant of a channel at rest: no send or receive is under way. For tests and teardown. */
bool channel_valid(const struct channel *c);

static inline bool channel_is_closed(const struct channel *c)
{
    return load_acquire(&c->tail) & CHANNEL_MARK; /* pairs: channel-close */
}

static inline size_t channel_capacity(const struct channel *c)
{
    return c->capacity;
}

static inline __attribute__((always_inline)) struct channel_slot *channel_slot_at(const struct channel *c,
                                                                                  uint64_t position, size_t slot_lines)
{
    return (struct channel_slot *)(c->slots + (position & c->mask) * slot_lines);
}

/* Nothing to receive now. Consumer only. One shared load, of the line in which the next item will arrive: made for
 * polling, it leaves the producers' line alone. Says nothing about closed. */
static inline bool channel_is_empty(const struct channel *c)
{
    uint64_t head = load_relaxed(&c->head);
    return load_acquire(&channel_slot_at(c, head, c->slot_lines)->sequence) != head; /* pairs: channel-publish */
}

/* Claim and close: both change `tail` from the value they saw, so one is first and the other sees it.
 *     CPU 0, send                          CPU 1, close
 *   1 load tail = t, sequence == t       4 closing = true
 *   2 cmpxchg tail: t -> t + STEP        5 or tail: MARK
 *   3 write item, publish
 *   2 before 5: the item was accepted, and because tail passed it, no receive says CANCELLED until it was received.
 *   5 before 2: 2 fails, the slow path finds MARK and says CANCELLED; position t is never claimed.
 *
 * Claim and consume: the sequence word hands the slot over, each time by a release store met by an acquire load.
 *     CPU 0, send                          CPU 1, receive
 *   1 sequence == t (granted)            4 sequence == head (published)
 *   2 cmpxchg tail, write item           5 read item, advance head
 *   3 sequence = t + MARK                6 sequence of head + capacity = that position
 *   3 -> 4 carries the item (channel-publish). 6 -> 1 makes the reads of 5 come before the writes of 2 (channel-grant):
 *   the slot of position t last held an item received no later than t - capacity, whose 6 came after that item's 5.
 *   A producer stalled between 2 and 3 holds back 4 for its own position, and so for all after it: nothing is skipped.
 *   If another producer claims t between 1 and 2, the cmpxchg fails; positions do not come again: it is not fooled.
 *
 * Cost: one locked instruction; lines touched: the producers', the fixed one, the slot's. */
static inline __attribute__((always_inline)) enum status channel_send_sized(struct channel *c, const void *item,
                                                                            size_t item_bytes)
{
    uint64_t tail = load_relaxed(&c->tail);
    struct channel_slot *slot = channel_slot_at(c, tail, CHANNEL_LINES(item_bytes));
    if (__builtin_expect(load_acquire(&slot->sequence) != tail, 0)) { /* pairs: channel-grant */
        return channel_send(c, item);
    }
    if (__builtin_expect(!cmpxchg_acqrel(&c->tail, &tail, tail + CHANNEL_STEP), 0)) { /* pairs: channel-close */
        return channel_send(c, item);
    }
    __builtin_memcpy(slot->item, item, item_bytes);
    store_release(&slot->sequence, tail + CHANNEL_MARK); /* pairs: channel-publish */
    return STATUS_OK;
}

/* Why there is no item at `head`. The producers' line is looked at only once somebody has begun to close: a
 * consumer that polls does not take it from those who send. Whoever saw the channel closed also sees `closing`,
 * which was set before. */
static inline enum status channel_why_empty(const struct channel *c, uint64_t head)
{
    if (__builtin_expect(!load_relaxed(&c->closing), 1)) {
        return STATUS_UNAVAILABLE;
    }
    return load_acquire(&c->tail) == head ? STATUS_CANCELLED : STATUS_UNAVAILABLE; /* pairs: channel-close */
}

/* The item at `head` has been read: moves on and grants the position one capacity further. */
static inline __attribute__((always_inline)) void channel_pass(struct channel *c, uint64_t head, size_t slot_lines)
{
    uint64_t granted = head + c->grant;
    struct channel_slot *slot = channel_slot_at(c, granted, slot_lines);
    store_release(&c->head, head + CHANNEL_STEP); /* pairs: channel-head */
    store_release(&slot->sequence, granted);      /* pairs: channel-grant */
}

/* An item on two lines is asked for as a whole at each try, before it is known to be there: a consumer that polls then
 * gets the second line together with the first instead of after it. Between two CPUs that is a third of the way. */
static inline __attribute__((always_inline)) enum status channel_try_recv_sized(struct channel *c, void *item,
                                                                                size_t item_bytes)
{
    uint64_t head = load_relaxed(&c->head);
    const struct channel_slot *slot = channel_slot_at(c, head, CHANNEL_LINES(item_bytes));
    if (CHANNEL_LINES(item_bytes) > 1) {
        cpu_prefetch((const unsigned char *)slot + CACHE_LINE);
    }
    if (__builtin_expect(load_acquire(&slot->sequence) != head, 0)) { /* pairs: channel-publish */
        return channel_why_empty(c, head);
    }
    __builtin_memcpy(item, slot->item, item_bytes);
    channel_pass(c, head, CHANNEL_LINES(item_bytes));
    return STATUS_OK;
}

/* The oldest item in its place, or NULL and *why as channel_try_recv says it; channel_pop when done with it.
 * Consumer only. */
static inline const void *channel_front(const struct channel *c, enum status *why)
{
    uint64_t head = load_relaxed(&c->head);
    const struct channel_slot *slot = channel_slot_at(c, head, c->slot_lines);
    if (load_acquire(&slot->sequence) != head) { /* pairs: channel-publish */
        *why = channel_why_empty(c, head);
        return NULL;
    }
    return slot->item;
}

/* Ends the use of the item that channel_front gave. Consumer only. */
static inline void channel_pop(struct channel *c)
{
    channel_pass(c, load_relaxed(&c->head), c->slot_lines);
}

/* Up to here the wrappers carry the copy in line; larger items go through the engine's loop. */
#define CHANNEL_INLINE_BYTES 64

/* name_bytes, name_init, name_send, name_try_recv, name_recv_batch and name_drain for items of `type`, whose size is a
 * multiple of 8. name_drain gives each item, in its place, to `take`: at most as many as were queued when it began, so
 * producers cannot keep it busy; `take` may send but not receive. Its status is that of name_recv_batch. */
#define CHANNEL_DEFINE(name, type)                                                                                     \
    _Static_assert(sizeof(type) > 0 && sizeof(type) % 8 == 0 && sizeof(type) <= CHANNEL_ITEM_BYTES_MAX,                \
                   "a channel's item is a multiple of 8 bytes");                                                       \
    _Static_assert(_Alignof(type) <= 8, "an item in its place is aligned to 8 bytes");                                 \
    [[maybe_unused]] static inline size_t name##_bytes(size_t capacity)                                                \
    {                                                                                                                  \
        return channel_bytes(capacity, sizeof(type));                                                                  \
    }                                                                                                                  \
    [[maybe_unused]] static inline enum status name##_init(struct channel *c, void *storage, size_t storage_bytes,     \
                                                           size_t capacity)                                            \
    {                                                                                                                  \
        return channel_init(c, storage, storage_bytes, capacity, sizeof(type));                                        \
    }                                                                                                                  \
    [[maybe_unused]] static inline enum status name##_send(struct channel *c, const type *item)                        \
    {                                                                                                                  \
        assert(c->item_bytes == sizeof(type));                                                                         \
        return sizeof(type) <= CHANNEL_INLINE_BYTES ? channel_send_sized(c, item, sizeof(type))                        \
                                                    : channel_send(c, item);                                           \
    }                                                                                                                  \
    [[maybe_unused]] static inline enum status name##_try_recv(struct channel *c, type *item)                          \
    {                                                                                                                  \
        assert(c->item_bytes == sizeof(type));                                                                         \
        return sizeof(type) <= CHANNEL_INLINE_BYTES ? channel_try_recv_sized(c, item, sizeof(type))                    \
                                                    : channel_try_recv(c, item);                                       \
    }                                                                                                                  \
    [[maybe_unused]] static inline enum status name##_recv_batch(struct channel *c, type *items, size_t max,           \
                                                                 size_t *received)                                     \
    {                                                                                                                  \
        assert(c->item_bytes == sizeof(type));                                                                         \
        return channel_recv_batch(c, items, max, received);                                                            \
    }                                                                                                                  \
    [[maybe_unused]] static inline enum status name##_drain(                                                           \
        struct channel *c, void (*take)(void *context, const type *item), void *context, size_t *drained)              \
    {                                                                                                                  \
        assert(c->item_bytes == sizeof(type));                                                                         \
        enum status status = channel_why_empty(c, load_relaxed(&c->head));                                             \
        size_t n = 0, queued = channel_len(c);                                                                         \
        for (const type *item; n < queued && (item = channel_front(c, &status)); n++) {                                \
            take(context, item);                                                                                       \
            channel_pop(c);                                                                                            \
        }                                                                                                              \
        *drained = n;                                                                                                  \
        return n ? STATUS_OK : status;                                                                                 \
    }
