/* SPDX-License-Identifier: MIT
 * The channel's engine out of line: creation, the whole send (the wrappers' fast path ends here when it fails),
 * large items, close, senders and counts. The protocol, its races and the meaning of the three words stand in
 * channel.h; ownership is as there. No wait loop: a send goes round only when another claim or a close came first. */
#include "ipc/channel.h"
#include "sys/lib/string.h"

static size_t slot_count(size_t capacity)
{
    size_t slots = 1;
    while (slots < capacity) {
        slots *= 2;
    }
    return slots;
}

size_t channel_bytes(size_t capacity, size_t item_bytes)
{
    if (capacity == 0 || capacity > CHANNEL_CAPACITY_MAX) {
        return 0;
    }
    if (item_bytes == 0 || item_bytes % 8 != 0 || item_bytes > CHANNEL_ITEM_BYTES_MAX) {
        return 0;
    }
    return slot_count(capacity) * CHANNEL_LINES(item_bytes) * CACHE_LINE;
}

enum status channel_init(struct channel *c, void *storage, size_t storage_bytes, size_t capacity, size_t item_bytes)
{
    size_t needed = channel_bytes(capacity, item_bytes);
    if (needed == 0 || !storage || (uintptr_t)storage % CACHE_LINE != 0 || storage_bytes < needed) {
        return STATUS_INVALID_ARGUMENT;
    }
    *c = (struct channel){
        .head = CHANNEL_MARK,
        .slots = storage,
        .mask = (slot_count(capacity) - 1) * CHANNEL_STEP,
        .grant = capacity * CHANNEL_STEP - CHANNEL_MARK,
        .slot_lines = CHANNEL_LINES(item_bytes),
        .item_bytes = item_bytes,
        .capacity = capacity,
        .senders = 1,
    };
    /* A slot past the capacity starts at 0: not granted, since its first position is not 0. */
    memset(storage, 0, needed);
    for (size_t i = 0; i < capacity; i++) {
        channel_slot_at(c, i * CHANNEL_STEP, c->slot_lines)->sequence = i * CHANNEL_STEP;
    }
    return STATUS_OK;
}

/* One claim attempt after the other, from the tail that beat the last one. */
enum status channel_send(struct channel *c, const void *item)
{
    uint64_t tail = load_acquire(&c->tail); /* pairs: channel-close */
    for (;;) {
        if (tail & CHANNEL_MARK) {
            return STATUS_CANCELLED;
        }
        struct channel_slot *slot = channel_slot_at(c, tail, c->slot_lines);
        int64_t ahead = (int64_t)(load_acquire(&slot->sequence) - tail); /* pairs: channel-grant */
        if (ahead < 0) { /* not granted, so nobody can have claimed it since: tail is still here, and full is true */
            fetch_add_relaxed(&c->rejected, 1);
            return STATUS_RESOURCE_EXHAUSTED;
        }
        if (ahead > 0) {                   /* claimed by another since tail was read */
            tail = load_acquire(&c->tail); /* pairs: channel-close */
            continue;
        }
        uint64_t position = tail;
        if (cmpxchg_acqrel(&c->tail, &tail, position + CHANNEL_STEP)) { /* pairs: channel-close */
            memcpy(slot->item, item, c->item_bytes);
            store_release(&slot->sequence, position + CHANNEL_MARK); /* pairs: channel-publish */
            return STATUS_OK;
        }
    }
}

enum status channel_try_recv(struct channel *c, void *item)
{
    enum status why = STATUS_UNAVAILABLE;
    const void *front = channel_front(c, &why);
    if (!front) {
        return why;
    }
    memcpy(item, front, c->item_bytes);
    channel_pop(c);
    return STATUS_OK;
}

enum status channel_recv_batch(struct channel *c, void *items, size_t max, size_t *received)
{
    unsigned char *to = items;
    enum status status = STATUS_OK;
    size_t n = 0;
    while (n < max && status == STATUS_OK) {
        status = channel_try_recv(c, to + n * c->item_bytes);
        n += status == STATUS_OK;
    }
    *received = n;
    return n ? STATUS_OK : status;
}

void channel_close(struct channel *c)
{
    store_relaxed(&c->closing, true);
    (void)fetch_or_acqrel(&c->tail, CHANNEL_MARK); /* pairs: channel-close */
}

enum status channel_sender_clone(struct channel *c)
{
    uint64_t senders = load_relaxed(&c->senders);
    do {
        if (senders == 0) {
            return STATUS_CANCELLED;
        }
    } while (!cmpxchg_acqrel(&c->senders, &senders, senders + 1)); /* pairs: channel-senders */
    return STATUS_OK;
}

/* Releases this sender's claims and acquires those of the senders dropped before, so the close comes after all of
 * them. */
void channel_sender_drop(struct channel *c)
{
    uint64_t senders = load_relaxed(&c->senders);
    do {
        assert(senders != 0);
        if (senders == 0) {
            return;
        }
    } while (!cmpxchg_acqrel(&c->senders, &senders, senders - 1)); /* pairs: channel-senders */
    if (senders == 1) {
        channel_close(c);
    }
}

/* head is read before tail, so tail is never behind it; it may be more than a capacity ahead of so old a head. */
struct channel_stats channel_stats(const struct channel *c)
{
    uint64_t received = load_acquire(&c->head) / CHANNEL_STEP; /* pairs: channel-head */
    uint64_t sent = load_acquire(&c->tail) / CHANNEL_STEP;     /* pairs: channel-close */
    size_t len = sent - received;
    return (struct channel_stats){
        .sent = sent,
        .received = received,
        .rejected = load_relaxed(&c->rejected),
        .len = len < c->capacity ? len : c->capacity,
        .capacity = c->capacity,
    };
}

size_t channel_len(const struct channel *c)
{
    return channel_stats(c).len;
}

bool channel_valid(const struct channel *c)
{
    uint64_t head = load_relaxed(&c->head), tail = load_relaxed(&c->tail);
    uint64_t first = head - CHANNEL_MARK, end = tail & ~CHANNEL_MARK;
    if (head % CHANNEL_STEP != CHANNEL_MARK || (end - first) / CHANNEL_STEP > c->capacity) {
        return false;
    }
    if ((tail & CHANNEL_MARK) && !load_relaxed(&c->closing)) {
        return false;
    }
    for (size_t i = 0; i < c->capacity; i++) {
        uint64_t position = first + i * CHANNEL_STEP;
        uint64_t expected = position < end ? position + CHANNEL_MARK : position;
        if (load_relaxed(&channel_slot_at(c, position, c->slot_lines)->sequence) != expected) {
            return false;
        }
    }
    return true;
}
